mkdir -p d/x; echo > d/x/y
