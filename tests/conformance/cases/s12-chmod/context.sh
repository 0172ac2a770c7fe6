echo f > f; mkdir -p d/s; echo g > d/s/g; ln -s g d/s/l; chmod 777 d/s
