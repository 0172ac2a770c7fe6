echo t > target; ln -s target l0; mkdir dir1 dir2; echo 1 > dir1/one; echo 2 > dir2/two; ln -s dir1 ld
mkdir -p x/a x/b; echo a > x/a/f; echo b > x/b/f; echo q > '[q]'; echo r > '[q]r'
