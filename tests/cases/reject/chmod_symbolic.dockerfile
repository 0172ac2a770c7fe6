FROM a
COPY --chmod=u a b
COPY --chmod=u+rwz a b
COPY --chmod=u+x, a b
ADD --chmod=777x a b
COPY --chmod=u+7 a b
