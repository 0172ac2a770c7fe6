FROM a
RUN ok
COPY x


FROM b AS c d
USER

# end
WORKDIR
