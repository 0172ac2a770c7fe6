mkdir d e; echo 1 > keep; echo 2 > drop; echo 3 > d/k; echo 4 > d/x; echo 5 > e/x
