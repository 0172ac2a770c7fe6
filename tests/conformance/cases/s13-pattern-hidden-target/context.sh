mkdir d; echo s > d/s; ln -s d/s link; echo other > l
echo d/s > .dockerignore
