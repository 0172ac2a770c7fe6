FROM a
COPY https://e.com/x y
COPY git@h:r y
COPY http://h/r.git y
