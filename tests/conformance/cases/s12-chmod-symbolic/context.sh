mkdir -p d/sub; echo f > f; echo x > d/x; echo p > d/plain; chmod 644 f d/plain; chmod 755 d/x; chmod 700 d/sub; chmod 750 d
