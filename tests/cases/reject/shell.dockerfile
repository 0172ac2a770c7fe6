FROM a
SHELL /bin/sh -c
SHELL []
SHELL [1]
SHELL ["a",]
