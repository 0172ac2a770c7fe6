FROM a
COPY --link a b
COPY --link=true a b
COPY --parents a b
COPY --exclude=*.o --exclude=*.a a b
ADD --link a b
ADD --exclude=x a b
ADD --checksum=sha256:0 https://e.com/x b
ADD --unpack a b
ADD --unpack=false a b
ADD --keep-git-dir a b
ADD --keep-git-dir=true a b
