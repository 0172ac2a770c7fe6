mkdir -p d; echo new > d/f; chown 7:8 d/f; chmod 755 d/f; tar --numeric-owner -cf t.tar d
