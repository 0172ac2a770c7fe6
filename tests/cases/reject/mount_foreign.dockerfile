FROM a
RUN --mount=type=bind,target=/x,U y
RUN --mount=type=tmpfs,target=/x,tmpcopyup y
RUN --mount=type=cache,target=/x,z=1 y
RUN --mount=type=cache,target=/x,nosuid=false y
RUN --mount=type=bind,target=/x,relabel=other y
RUN --mount=type=bind,target=/x,bind-propagation=some y
RUN --mount=type=bind,target=/x,relabel y
RUN --mount=type=tmpfs,target=/x,tmpfs-mode=rwx y
RUN --mount=type=tmpfs,target=/x,tmpfs-size=much y
RUN --mount=type=tmpfs,target=/x,mode=0700 y
