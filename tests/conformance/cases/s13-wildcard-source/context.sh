printf 'no.txt\nsub/*.o\n' > .dockerignore; mkdir sub; touch no.txt yes.txt sub/a.o sub/b.c
