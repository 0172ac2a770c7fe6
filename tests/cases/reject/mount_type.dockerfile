FROM a
RUN --mount=type=cach,target=/x y
RUN --mount=type=overlay,target=/x y
RUN --mount=type=$T,target=/x,nothing=1 y
RUN --mount=type=$T,type=cach,target=/x y
RUN --mount=type y
