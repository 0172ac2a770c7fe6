mkdir -p d; echo new > d/f; chmod 755 d; tar --numeric-owner -cf t.tar d; rm -r d
