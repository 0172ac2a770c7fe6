mkdir -p d1/s d2 ad/sub; echo 1 > d1/f1; echo 2 > d2/f2; echo 3 > d1/s/g; echo 4 > ad/sub/h
