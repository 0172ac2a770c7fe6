echo f > f
mkdir c
