FROM a
RUN --timeout=30 x
RUN --timeout= x
RUN --timeout=-1s x
RUN --timeout=0 x
RUN --no-cache=maybe x
