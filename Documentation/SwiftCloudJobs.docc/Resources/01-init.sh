cd swift-cloud-jobs
swift run cloud-jobs init ../shop
cd ../shop
