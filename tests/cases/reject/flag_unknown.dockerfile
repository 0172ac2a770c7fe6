FROM a
COPY --form=x a b
COPY --chwon=x a b
RUN --moutn=x a
ADD --from=x a b
ENV --x a=b
CMD --help
USER --a b
HEALTHCHECK --retry=1 CMD x
ARG --x a
STOPSIGNAL --x 9
