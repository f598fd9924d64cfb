swift run shop enqueue send_mail --input '{"to": "ada@example.com", "subject": "Your order"}'
swift run shop enqueue send_mail --input '{"to": "ada@example.com", "subject": "Was it good?"}' --in 10m

curl localhost:8080/jobs/trigger \
  -d '{"jobId": "send_mail", "payload": {"to": "bob@example.com", "subject": "Your order"}, "key": "order-7"}'
