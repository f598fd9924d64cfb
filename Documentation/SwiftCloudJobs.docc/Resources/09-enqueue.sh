swift run shop enqueue send_mail --input '{"to": "ada@example.com", "subject": "Your order"}' \
  --location $REGION --service-url $URL --caller $CALLER
swift run shop runs list
swift run shop doctor --location $REGION
gcloud run services logs read shop --region $REGION --project $PROJECT --limit 20
