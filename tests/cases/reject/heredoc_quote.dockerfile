FROM a
RUN cat <<"EOF
x
EOF
RUN echo it's <<EOF
y
EOF
