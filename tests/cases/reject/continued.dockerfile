FROM a
COPY --from=b \
  --form=c \
  a b
ENV a=1 \
  # note
  b="x
