mkdir -p d; echo > d/x
