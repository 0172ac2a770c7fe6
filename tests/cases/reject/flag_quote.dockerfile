FROM a
COPY --chown="a b c
RUN --mount='type=cache,target=/x y
