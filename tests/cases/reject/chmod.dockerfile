FROM a
COPY --chmod=888 a b
COPY --chmod=10000 a b
COPY --chmod=0o755 a b
COPY --chmod=x a b
