mkdir -p d/g; for m in 000 400 444 600 755 777 2755 1644 4500; do echo $m > d/$m; chmod $m d/$m; done; chmod 2750 d/g; chown -R 1234:5678 d; chmod 4500 d/4500; chmod 2755 d/2755
