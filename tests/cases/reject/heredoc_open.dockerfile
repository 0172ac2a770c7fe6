FROM a
RUN <<EOF
echo
RUN x
