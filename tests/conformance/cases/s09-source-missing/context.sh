echo > mian.c
