echo text > text.tar.gz; : > empty.tar; echo plain | gzip -n > packed.gz; head -c 1024 /dev/zero > zeros.tar; echo f > f; mkdir d; tar --mtime=@1650000000 -cf real.tar f; cp real.tar d/
