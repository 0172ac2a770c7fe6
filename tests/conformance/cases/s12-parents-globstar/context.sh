mkdir -p src/a/b src/c empty; echo 1 > src/1.txt; echo 2 > src/a/2.txt; echo 3 > src/a/b/3.txt; echo c > src/c/c.c; echo 4 > other.txt
