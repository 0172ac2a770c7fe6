FROM a
COPY --exclude=[a --exclude=! --exclude=#x --exclude=a a b
ADD --exclude="a\\" a b
COPY --keep-ownership --chown=a a b
COPY --keep-ownership=false --chown=a a b
