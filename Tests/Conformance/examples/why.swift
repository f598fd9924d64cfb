var time: Timestamp { given() }
