cat > .dockerignore <<'X'
# comment
 # not a comment
/rooted
*.o
**/*.tmp
d?r/x
[ab]c
foo/
e/**/deep
\#file
./norm//al/
X
mkdir -p sub dir/x dxr e/1/2 foo norm/al keep
touch rooted sub/rooted a.o sub/b.o x.tmp sub/y.tmp dir/x/f dxr/y ac bc cc e/deep e/1/2/deep '#file' foo/f norm/al/f keep/f
