FROM a
WORKDIR "/a b
USER ${u
VOLUME ${v:=x} /b
EXPOSE "80
STOPSIGNAL ${s^}
ADD ${a b
