mkdir want big; echo 1 > want/f; for i in 1 2 3 4 5; do echo $i > big/$i; done
