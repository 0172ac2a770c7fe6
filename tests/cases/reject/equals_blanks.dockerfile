FROM a
ARG a = b
ENV a= b
LABEL x =y z
ENV a=1 = 2
