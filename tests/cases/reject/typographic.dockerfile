FROM a
ENV a=“x y”
LABEL b=‘x y’
