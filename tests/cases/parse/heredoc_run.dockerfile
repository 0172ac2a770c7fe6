FROM a
RUN <<EOF
# not a comment
echo \

  a
EOF
RUN <<-EOF
		echo a
	  b
	EOF
RUN <<"EOF" cat
$x
EOF
RUN 3<<A cat <<B <<'C'
a
A
b
B
c
C
RUN << EOF
space
EOF
RUN <<E
E
