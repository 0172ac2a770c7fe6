FROM a
ADD --from=x a b
RUN --chown=1 x
COPY --unpack a b
WORKDIR --chmod=1 /x
CMD --interval=1s x
