FROM a
RUN --mount=type=bind,target=/ y
RUN --mount=type=$T,target=/ y
RUN --mount=type=secret y
RUN --mount=type=secret,required y
