PROJECT=my-project REGION=europe-west1
IMAGE=$REGION-docker.pkg.dev/$PROJECT/images/shop

sed -i 's/libsqlite3-dev/libsqlite3-dev libcurl4-openssl-dev/; s/libsqlite3-0/libsqlite3-0 libcurl4/' Dockerfile
gcloud services enable artifactregistry.googleapis.com --project $PROJECT
gcloud artifacts repositories create images --repository-format docker --location $REGION --project $PROJECT
docker build --build-context swift-cloud-jobs=../swift-cloud-jobs -t $IMAGE .
docker push $IMAGE
