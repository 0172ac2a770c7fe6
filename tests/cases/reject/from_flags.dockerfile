FROM --plaform=x a
FROM --platform a
FROM --platform=a --platform=b a
FROM --from=x a
