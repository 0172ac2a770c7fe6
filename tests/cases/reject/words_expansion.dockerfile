FROM a
USER "me
WORKDIR ${x
EXPOSE ${p:-80 
VOLUME ${x^}
STOPSIGNAL '9
COPY "a b c
COPY --chown=${u a b
