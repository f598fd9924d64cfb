swift run shop serve
