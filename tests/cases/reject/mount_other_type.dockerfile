FROM a
RUN --mount=type=bind,target=/x,required y
RUN --mount=type=secret,id=a,sharing=locked y
RUN --mount=type=cache,target=/x,tmpfs-size=1m y
RUN --mount=type=ssh,env=A y
RUN --mount=type=cache,target=/x,readonyl y
RUN --mount=type=secret,id=a,z y
RUN --mount=type=ssh,U y
RUN --mount=type=tmpfs,target=/x,consistency=cached y
