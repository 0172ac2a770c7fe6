why() { # why WANT [ARG...]: the reasons of a build, one a line
	want=$1
	shift
	b --explain "$@"
	got=$(sed -n 's/^#\([0-9]*\) why: /\1 /p' <<<"$out")
	[ "$got" = "$want" ] || fail "wanted: $want; got: $got"
}
mkdir -p ctx/src
echo a >ctx/src/a
echo c >ctx/conf
why $'3 first build\n4 first build'
why ''
echo b >ctx/src/a
why $'3 src/a: content\n4 step 3 ran'
chmod 640 ctx/conf
why '4 conf: mode 0644 -> 0640'
echo n >ctx/src/n
why $'3 src/n: new\n4 step 3 ran'
rm ctx/src/n
why ''
sed -i 's/0600/0400/' Dockerfile
why '4 --chmod: 0600 -> 0400'
why $'3 --no-cache\n4 --no-cache' --no-cache
b
[[ $out != *why:* ]] || fail "explained without --explain"
