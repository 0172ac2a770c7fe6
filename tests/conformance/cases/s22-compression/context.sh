seq 1 1000 > f
