mkdir d; echo 1 > d/f; ln -s f d/l; ln d/f d/h; mkdir d/e; chmod 750 d/e; chown 7:8 d/f; chmod 4755 d/f; touch -d @1600000000 d/f d/e d
tar -cf none.tar -C d --numeric-owner . ; gzip -c none.tar > t.tar.gz; bzip2 -c none.tar > bz.bin; xz -c none.tar > x.xz; zstd -qc none.tar > z.anything
