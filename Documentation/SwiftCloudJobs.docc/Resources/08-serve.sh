export CLOUD_TASKS_EMULATOR_HOST=127.0.0.1:8123
export CLOUD_SCHEDULER_EMULATOR_HOST=127.0.0.1:8123
export FIRESTORE_EMULATOR_HOST=127.0.0.1:8123
export CLOUD_JOBS_STORE=firestore://demo

swift run shop serve --location europe-west1 --service-url http://127.0.0.1:8080 \
  --caller caller@demo.iam.gserviceaccount.com
