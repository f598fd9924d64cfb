swift run shop forecast --rate send_mail=1000/day --budget 5
