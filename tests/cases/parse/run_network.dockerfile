FROM a
RUN --network=none x
RUN --network=host x
RUN --network=default x
RUN x --network=foo
