FROM a
COPY a
RUN --x y
