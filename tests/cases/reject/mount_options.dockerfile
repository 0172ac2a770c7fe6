FROM a
RUN --mount=type=cache,traget=/x y
RUN --mount=type=bind,target=/x,sharing=locked y
RUN --mount=type=tmpfs,target=/x,source=y z
RUN --mount=type=cache,target=/x,size=1m y
RUN --mount=type=secret,id=a,from=b c
RUN --mount=a=b,c=d x
