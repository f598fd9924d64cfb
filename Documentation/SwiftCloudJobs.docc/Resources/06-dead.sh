swift run shop dead-letters
swift run shop runs redrive --job send_mail --yes
