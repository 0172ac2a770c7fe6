echo d > .dockerignore; mkdir d; touch d/a.c
