mkdir -p x/a y/b; echo 1 > x/a/one; echo 2 > y/b/two
