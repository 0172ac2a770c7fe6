FROM a AS x
FROM b AS X
FROM c AS scratch
