FROM a
COPY <<EOF /x
$v
EOF
COPY --chmod=755 <<'a.sh' src <<b.sh other /bin/
#!/bin/sh
a.sh
b
b.sh
ADD <<-X /y
	q
	X
COPY <<D <<D /z/
first
D
second
D
