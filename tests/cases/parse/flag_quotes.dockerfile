FROM a
COPY --chown="a b" --chmod='755' x y
COPY --ch\own=a x y
RUN --mount=type=cache,target=/a\ b x
