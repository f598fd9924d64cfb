swift run shop why remind_carts
swift run shop why remind_carts --at 2026-11-27T12:00:00Z
