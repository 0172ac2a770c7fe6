FROM a
RUN --mount=type=cach,target=/x y
RUN --mount=type=overlay,target=/x y
RUN --mount=type=$T,target=/x y
RUN --mount=type y
