NUMBER=$(gcloud projects describe $PROJECT --format 'value(projectNumber)')
URL=https://shop-$NUMBER.$REGION.run.app
CALLER=shop-caller@$PROJECT.iam.gserviceaccount.com
export CLOUD_JOBS_STORE=firestore://$PROJECT
gcloud auth application-default login

swift run shop sync --location $REGION --service-url $URL --caller $CALLER
