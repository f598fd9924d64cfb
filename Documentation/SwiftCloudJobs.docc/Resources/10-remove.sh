gcloud config set project $PROJECT
gcloud run services delete shop --region $REGION
gcloud scheduler jobs delete cloud-jobs-cloud_jobs_master --location $REGION
gcloud scheduler jobs delete cloud-jobs-daily_report --location $REGION
gcloud tasks queues delete default --location $REGION
gcloud firestore databases delete --database '(default)'
gcloud artifacts repositories delete images --location $REGION
gcloud iam service-accounts delete shop-runtime@$PROJECT.iam.gserviceaccount.com
gcloud iam service-accounts delete shop-caller@$PROJECT.iam.gserviceaccount.com
