b --load -t one -t localhost/two:v1 -t 127.0.0.1:5000/three
want=$(digest)
for n in docker.io/library/one:latest localhost/two:v1 127.0.0.1:5000/three:latest; do
	[ "$(python3 "$TOOLS/configdump.py" --digest "oci:$dir/store:$n")" = "$want" ] || fail "$n"
done
