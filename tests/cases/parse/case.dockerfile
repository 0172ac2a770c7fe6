from a as B
run x
Run y
