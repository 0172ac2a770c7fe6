FROM a
ENV a=1 b="x y" c=x\ y d='p "q"' e= "f g"=h i='j'"k"
ENV a b c=d
ENV a   spaced  value  
LABEL a=b "c d"="e f" g.h/i=j\
k
LABEL a "b c"
ARG a b=c d="e f" g=$a h=
ARG x
