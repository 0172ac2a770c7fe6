mkdir d e; ln -s ../../../../e d/l; echo in > e/f
tar --numeric-owner --mtime=@1600000000 -cf up.tar -C d l -C .. e
tar --numeric-owner --mtime=@1600000000 --transform='s,^e/f,l/through,' -rf up.tar e/f
mkdir o; chmod 700 o; chown 5:6 o; echo g > o/g; tar --numeric-owner -cf own.tar -C o .
