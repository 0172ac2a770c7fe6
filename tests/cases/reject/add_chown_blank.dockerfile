FROM a
ADD --chown 1:1 a b
COPY --chmod 755 a b
RUN --network host make
