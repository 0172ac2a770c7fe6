FROM alpine # the base
ENV a=1 # note
FROM alpine AS x # y
LABEL a=1 #b
