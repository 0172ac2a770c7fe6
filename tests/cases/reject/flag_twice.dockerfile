FROM a
COPY --chown=a --chown=b x y
RUN --network=none --network=host x
