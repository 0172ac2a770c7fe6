FROM a
ENV a="x
ENV a='x
ENV a=${b
ENV a=${b:=c} d=${}
LABEL "a b
ENV a it's
ARG a=${x/y}
ENV "a=b"
ENV a=${x#\a}
