echo a > a; mkdir d; echo f > d/f
