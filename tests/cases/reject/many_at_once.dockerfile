FORM x
FROM
RUN --mout=x y
ENV A
COPY a
