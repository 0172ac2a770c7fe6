# Refused, or confined to the root of the image; never a name with `..` in a layer.
if bld build -f "$dir/Dockerfile" -t "$image" ctx >out 2>&1; then
	tree | grep -qE '^(/x)?/escaped ' || { fail "neither refused nor confined"; tree; }
else
	rc=$?
	[ "$rc" = 1 ] || [ "$rc" = 4 ] || fail "status $rc"
	grep -q 'Dockerfile:2' out || { fail "no place in the message"; cat out; }
fi
[ ! -e "$dir/../escaped" ] && [ ! -e "$dir/escaped" ] || fail "a file outside"
