swift run shop
