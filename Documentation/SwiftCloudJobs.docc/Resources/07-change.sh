swift run shop jobs schedule remind_carts 1m
swift run shop jobs pause remind_carts
swift run shop jobs resume remind_carts
swift run shop jobs schedule remind_carts ""
