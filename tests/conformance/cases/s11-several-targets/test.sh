bld build -q -f Dockerfile --target one --target two -t one=localhost/one -t two=localhost/two ctx > o 2>&1 || { fail status; cat o; }
for n in one two; do
	[ "$(python3 "$TOOLS/configdump.py" "oci:$dir/store:localhost/$n:latest" | jq -r .config.Labels.x)" = $n ] || fail $n
	python3 "$TOOLS/treedump.py" "oci:$dir/store:localhost/$n:latest" | grep '^/u ' > u.$n
done
cmp u.one u.two || fail "the shared stage was built twice"
[ "$(grep -c '^sha256:' o)" = 2 ] || { fail "not two IDs"; cat o; }
bld build -f Dockerfile --target one --target two -t localhost/plain --iidfile iid \
	--metadata-file meta ctx > o 2>&1 || { fail "plain name"; cat o; }
[ "$(wc -l < iid)" = 2 ] || fail iid
jq -e '.one["containerimage.digest"] != .two["containerimage.digest"] and .two["image.name"] == "localhost/plain:latest"' meta > o ||
	{ fail meta; cat meta; }
bld build -q -f Dockerfile --target one -t three=localhost/x ctx > o 2>&1 && fail "no such target"
grep -q 'no --target three' o || { fail "message"; cat o; }
bld build -q -f Dockerfile --target one --target tow ctx > o 2>&1 && fail "no such stage"
grep -q 'did you mean stage "two"' o || { fail "near"; cat o; }
bld build -q -f Dockerfile --target one --target two -o d ctx > o 2>&1 && fail "an output for both"
grep -q 'for one target' o || { fail "output"; cat o; }
