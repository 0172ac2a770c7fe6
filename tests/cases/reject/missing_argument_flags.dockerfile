FROM a
RUN --network=none
COPY --from=x
HEALTHCHECK --retries=1
RUN --
