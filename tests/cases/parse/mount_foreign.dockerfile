FROM a
RUN --mount=type=bind,target=/x,z,Z,relabel=shared,bind-propagation=rslave,consistency=cached,consistency,nosuid,nodev,noexec,private y
RUN --mount=type=cache,target=/x,U,z,noexec,sharing=LOCKED y
RUN --mount=type=tmpfs,target=/x,U,nosuid,tmpfs-size=1m,tmpfs-mode=0700 y
RUN --mount=type=$T,target=/x,mode=1,noexec y
RUN --mount=type=bind,type=${T:-cache} y
RUN --mount=type=$T,type=cache y
RUN --mount=type=cache --mount=source=x --mount=type=tmpfs y
