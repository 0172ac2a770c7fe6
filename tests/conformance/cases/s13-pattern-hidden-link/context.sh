ln -s /nowhere a; echo b > b; echo a > .dockerignore
