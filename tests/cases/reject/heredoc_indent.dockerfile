FROM a
RUN <<-EOF
	hello
    EOF
