FROM a
RUN cat<<EOF >/x
echo $A
EOF
