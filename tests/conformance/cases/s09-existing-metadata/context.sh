mkdir -p d/sub; chmod 755 d; chmod 770 d/sub; echo new > d/sub/f
