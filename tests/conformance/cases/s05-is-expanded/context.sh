echo 1 > src-name
