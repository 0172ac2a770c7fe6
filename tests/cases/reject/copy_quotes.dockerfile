FROM a
COPY a "b c" d
ADD 'x y' z
