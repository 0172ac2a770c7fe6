FROM a
COPY --from a b
COPY --link=maybe a b
COPY --link= a b
RUN --mount x
RUN --network x
