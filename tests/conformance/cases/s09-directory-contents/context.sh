mkdir -p d/sub/deep d/empty; echo 1 > d/f; echo 2 > d/sub/deep/g; echo . > d/.hidden; chmod 700 d d/sub; chmod 1777 d/empty
