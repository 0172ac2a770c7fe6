FROM a
COPY --from=$x a b
COPY --from=${x} a b
RUN --mount=from=$x,target=/y z
