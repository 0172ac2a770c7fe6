mkdir -p sub/deep d1; echo f > f; echo o > x.o; echo o > sub/y.o; echo z > sub/deep/z; echo o > d1/1.o; echo c > d1/1.c
