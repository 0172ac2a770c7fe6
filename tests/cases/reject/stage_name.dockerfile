FROM a AS 1
FROM a AS a/b
FROM a AS -x
FROM a AS é
