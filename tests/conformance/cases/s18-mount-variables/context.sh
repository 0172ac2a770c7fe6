echo v > f
