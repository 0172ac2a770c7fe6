FROM a builder
FROM a as
FROM a AS b AS c
FROM
FROM a:1 to b
