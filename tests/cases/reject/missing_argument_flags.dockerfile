FROM a
COPY --from=x
HEALTHCHECK --retries=1
USER --
