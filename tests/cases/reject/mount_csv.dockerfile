FROM a
RUN --mount= y
RUN --mount=type=cache,\"target=/x y
RUN --mount=type=cache,tar\"get=/x y
RUN --mount=\"type=cache\"x,target=/x y
RUN --mount=type=cache,,target=/x y
