FROM a
ENV a
ENV a=1 b
ENV =x
LABEL a
LABEL a=1 =b
ARG =x
ARG a =x
