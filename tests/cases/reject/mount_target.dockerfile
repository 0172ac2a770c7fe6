FROM a
RUN --mount=type=cache y
RUN --mount=type=bind,source=x y
RUN --mount=type=tmpfs y
RUN --mount=type=bind,target=/ y
RUN --mount=type=secret y
RUN --mount=type=secret,required y
