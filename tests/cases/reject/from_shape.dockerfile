FROM a b
FROM a AS
FROM a AS b c
FROM a IS b
FROM --platform=x
