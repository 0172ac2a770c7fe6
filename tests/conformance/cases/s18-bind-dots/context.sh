mkdir d; echo f > f; echo df > d/f
