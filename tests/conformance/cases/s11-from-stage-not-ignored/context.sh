echo '**/secret' > .dockerignore; echo 1 > secret; echo 2 > ok
