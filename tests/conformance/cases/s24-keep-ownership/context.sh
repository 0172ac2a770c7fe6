mkdir d; echo 1 > d/f; echo 2 > g; chown 1000:50 d d/f; chown 7:8 g
