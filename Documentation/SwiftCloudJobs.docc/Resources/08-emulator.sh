cd ../swift-cloud-jobs
make emulator PORT=8123
