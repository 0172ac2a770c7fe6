FROM a
ADD https://github.com/a/b.git /x
ADD git@github.com:a/b /x
ADD ssh://git@h/r /x
ADD git://h/r /x
ADD https://h/r.git#main:sub /x
ADD http://h/r.git?ref=v1 /x
