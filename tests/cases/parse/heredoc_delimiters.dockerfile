FROM a
RUN cat <<$EOF
a
$EOF
RUN cat <<E'O'F
a
EOF
RUN cat <<\EOF
a
EOF
RUN cat <<'one two'
a
one two
RUN cat <<E;
a
E;
