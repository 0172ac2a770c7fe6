FROM a
COPY a /b
COPY --from=0 --chown=$U:g --chmod=0644 a b* c/
COPY ["a b", "/c d"]
ADD --chown=1 https://example.com/a.tgz a.tar /d/
COPY --link=false --parents=FALSE a b
COPY --chmod=$M a b
COPY --from= a b
COPY --chown= --chmod= a "b"c d
COPY ../x y
ADD ['a', 'b']
