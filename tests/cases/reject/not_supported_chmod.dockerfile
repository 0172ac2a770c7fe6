FROM a
COPY --chmod=u+x a b
ADD --chmod=u=rwX,go=rX a b
COPY --chmod=-w a b
