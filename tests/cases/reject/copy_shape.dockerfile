FROM a
COPY a
ADD a
COPY ["a"]
COPY [1, "b"]
ADD ["a", true]
COPY []
COPY ["", "b"]
COPY --chown=x a
