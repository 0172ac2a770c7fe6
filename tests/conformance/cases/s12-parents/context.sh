mkdir -p x/a y/b; echo 1 > x/a/one; echo 2 > y/b/two; echo 3 > x/three; chmod 750 x; chmod 711 y
