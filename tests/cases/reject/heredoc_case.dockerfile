FROM a
COPY <<EOF /x
hello
eof
RUN x
