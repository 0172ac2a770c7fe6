FROM a
RUN --mount=type=cache,target=/x,sharing=exclusive y
RUN --mount=type=cache,target=/x,uid=root y
RUN --mount=type=cache,target=/x,mode=999 y
RUN --mount=type=tmpfs,target=/x,size=big y
RUN --mount=type=bind,target=/x,ro=maybe y
RUN --mount=type=secret,id=,required=2 y
RUN --mount=type=cache,target y
RUN --mount=type=cache,target= y
