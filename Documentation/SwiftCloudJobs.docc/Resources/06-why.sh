swift run shop enqueue send_mail --input '{"to": "busy@example.com", "subject": "Your order"}'
swift run shop runs list --job send_mail

# The run's id, or its first eight digits or more, as the list shows it:
swift run shop why --run 805e09db
