#!/usr/bin/env bash
# Sets up a service of swift-cloud-jobs on Google Cloud. It may be run again.
# Made by `infra --format gcloud`: change the jobs or the options, and print it again.
set -euo pipefail
PROJECT=my-project LOCATION=europe-west1
SERVICE=jobs DATABASE='(default)'
RUNTIME="$SERVICE-runtime@$PROJECT.iam.gserviceaccount.com"
CALLER="$SERVICE-caller@$PROJECT.iam.gserviceaccount.com"
export CLOUDSDK_CORE_PROJECT="$PROJECT" CLOUDSDK_CORE_DISABLE_PROMPTS=1

# Runs a command whose resource may be there already.
once() {
  local output
  if output=$("$@" 2>&1); then return; fi
  if grep -qiE 'already.exists|ALREADY_EXISTS' <<<"$output"; then return; fi
  echo "$output" >&2
  return 1
}

gcloud services enable cloudresourcemanager.googleapis.com \
  cloudscheduler.googleapis.com \
  cloudtasks.googleapis.com \
  firestore.googleapis.com \
  iam.googleapis.com \
  run.googleapis.com
NUMBER=$(gcloud projects describe "$PROJECT" --format 'value(projectNumber)')
URL="https://$SERVICE-$NUMBER.$LOCATION.run.app"

# The service runs as one account, and Cloud Tasks and Cloud Scheduler call it as another.
once gcloud iam service-accounts create "$SERVICE-runtime" --display-name "$SERVICE: runs the jobs"
once gcloud iam service-accounts create "$SERVICE-caller" \
  --display-name "$SERVICE: calls the service"
for role in roles/datastore.user roles/cloudtasks.enqueuer roles/cloudtasks.taskDeleter; do
  gcloud projects add-iam-policy-binding "$PROJECT" --member "serviceAccount:$RUNTIME" \
    --role "$role" --condition None >/dev/null
done
# Its tasks have the other account's token.
gcloud iam service-accounts add-iam-policy-binding "$CALLER" --member "serviceAccount:$RUNTIME" \
  --role roles/iam.serviceAccountUser >/dev/null

# The store, the indexes of its lists, and the deletion of what has expired.
once gcloud firestore databases create --database "$DATABASE" --location "$LOCATION" \
  --type firestore-native --delete-protection
once gcloud firestore indexes composite create --database "$DATABASE" --async \
  --collection-group runs --field-config field-path=job,order=ascending \
  --field-config field-path=createdAt,order=descending
once gcloud firestore indexes composite create --database "$DATABASE" --async \
  --collection-group runs --field-config field-path=status,order=ascending \
  --field-config field-path=createdAt,order=descending
once gcloud firestore indexes composite create --database "$DATABASE" --async \
  --collection-group runs --field-config field-path=correlationId,order=ascending \
  --field-config field-path=createdAt,order=descending
once gcloud firestore indexes composite create --database "$DATABASE" --async \
  --collection-group journal --field-config field-path=jobs,array-config=contains \
  --field-config field-path=time,order=ascending
once gcloud firestore indexes composite create --database "$DATABASE" --async \
  --collection-group journal --field-config field-path=jobs,array-config=contains \
  --field-config field-path=time,order=descending
gcloud firestore indexes fields update input --database "$DATABASE" --collection-group runs \
  --disable-indexes --async
gcloud firestore indexes fields update output --database "$DATABASE" --collection-group runs \
  --disable-indexes --async
gcloud firestore indexes fields update error --database "$DATABASE" --collection-group runs \
  --disable-indexes --async
gcloud firestore indexes fields update lease --database "$DATABASE" --collection-group runs \
  --disable-indexes --async
gcloud firestore indexes fields update lines --database "$DATABASE" --collection-group journal \
  --disable-indexes --async
gcloud firestore indexes fields update expireAt --database "$DATABASE" --collection-group runs \
  --index order=ascending
gcloud firestore fields ttls update expireAt --database "$DATABASE" --collection-group runs \
  --enable-ttl --async
gcloud firestore indexes fields update expireAt --database "$DATABASE" --collection-group effects \
  --index order=ascending
gcloud firestore fields ttls update expireAt --database "$DATABASE" --collection-group effects \
  --enable-ttl --async

# The runtime repeats failed attempts; a queue repeats deliveries that could not be processed.
verb=create
if gcloud tasks queues describe default --location "$LOCATION" >/dev/null 2>&1; then verb=update; fi
gcloud tasks queues "$verb" default --location "$LOCATION" \
  --max-attempts 100 \
  --max-retry-duration 86400s \
  --min-backoff 1s \
  --max-backoff 300s \
  --max-doublings 8

# The master pass once a minute, and the jobs with schedules of their own.
verb=create
if gcloud scheduler jobs describe cloud-jobs-cloud_jobs_master --location "$LOCATION" >/dev/null 2>&1; then verb=update; fi
gcloud scheduler jobs "$verb" http cloud-jobs-cloud_jobs_master --location "$LOCATION" \
  --schedule '* * * * *' \
  --time-zone Etc/UTC \
  --description '[cloud-jobs:cloud-jobs] cloud_jobs_master. Kept by sync: edit the job'\''s document, as edits here are undone.' \
  --attempt-deadline 180s \
  --max-retry-attempts 0 \
  --min-backoff 5s \
  --max-backoff 300s \
  --max-doublings 5 \
  --http-method POST \
  --uri "$URL"/jobs/master \
  --oidc-service-account-email "$CALLER" \
  --oidc-token-audience "$URL"
verb=create
if gcloud scheduler jobs describe cloud-jobs-good_morning --location "$LOCATION" >/dev/null 2>&1; then verb=update; fi
gcloud scheduler jobs "$verb" http cloud-jobs-good_morning --location "$LOCATION" \
  --schedule '0 9 * * *' \
  --time-zone Europe/Berlin \
  --description '[cloud-jobs:cloud-jobs] good_morning. Kept by sync: edit the job'\''s document, as edits here are undone.' \
  --attempt-deadline 315s \
  --max-retry-attempts 5 \
  --min-backoff 5s \
  --max-backoff 300s \
  --max-doublings 5 \
  --http-method POST \
  --uri "$URL"/jobs/scheduled/good_morning \
  --oidc-service-account-email "$CALLER" \
  --oidc-token-audience "$URL"

# The service is not public: Cloud Run checks the caller's token before the container sees a request.
gcloud run deploy "$SERVICE" --image europe-docker.pkg.dev/my-project/jobs/jobs --region "$LOCATION" \
  --service-account "$RUNTIME" --no-allow-unauthenticated --ingress internal \
  --timeout 900 --concurrency 20 --cpu-throttling \
  --cpu 1 --memory 512Mi \
  --min-instances 0 --max-instances 20 \
  --startup-probe httpGet.path=/jobs/health/started,httpGet.port=8080,periodSeconds=2,failureThreshold=60 \
  --set-env-vars "CLOUD_JOBS_STORE=firestore://$PROJECT,GOOGLE_CLOUD_PROJECT=$PROJECT" \
  --args "serve,--no-sync,--location,$LOCATION,--service-url,$URL,--caller,$CALLER,--queue,default"
gcloud run services add-iam-policy-binding "$SERVICE" --region "$LOCATION" \
  --member "serviceAccount:$CALLER" --role roles/run.invoker >/dev/null
