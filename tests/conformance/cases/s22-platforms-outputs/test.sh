build() { bld build -f Dockerfile --platform linux/amd64,linux/arm/v7 "$@" ctx > o 2>&1; }
echo arm > ctx/f-arm
build -o local || { fail local; cat o; }
[ "$(cat local/linux_amd64/f local/linux_arm_v7/f)" = "$(printf 'amd\narm')" ] || { fail "local: split"; find local; }
build -o type=local,dest=both,platform-split=false || { fail "local: not split"; cat o; }
[ "$(find both -type f)" = both/f ] || { fail "local: one directory"; find both; }
build -o type=tar,dest=t.tar || { fail tar; cat o; }
[ "$(tar -xOf t.tar linux_amd64/f linux_arm_v7/f)" = "$(printf 'amd\narm')" ] || { fail "tar: split"; tar -tf t.tar; }
build -o type=oci,dest=oci.tar,name=localhost/n:1 || { fail oci; cat o; }
mkdir layout && tar -xf oci.tar -C layout
jq -r '.manifests | length, .[0].mediaType' layout/index.json | xargs | grep -qx '1 application/vnd.oci.image.index.v1+json' || { fail "oci: index"; cat layout/index.json; }
for v in "amd64 amd" "arm arm"; do
	rm -rf one
	skopeo copy -q --override-arch "${v% *}" $([ "${v% *}" = arm ] && echo --override-variant v7) oci:layout "oci:one:x" > o 2>&1 || { fail "skopeo ${v% *}"; cat o; }
	python3 "$TOOLS/treedump.py" oci:one:x | grep -q '^/f ' || fail "tree of ${v% *}"
done
build -o type=oci,tar=false,dest=dir || { fail "oci directory"; cat o; }
[ -s dir/index.json ] || fail "no index.json"
build -o type=docker,dest=d.tar && fail "docker takes one platform"
grep -q 'holds one platform' o || { fail "docker: message"; cat o; }
! grep -q COPY o || fail "docker: told after the build"
bld build -f Dockerfile --platform linux/amd64 -o type=local,dest=one-split,platform-split=true ctx > o 2>&1 || { fail split; cat o; }
[ -e one-split/linux_amd64/f ] || { fail "platform-split=true"; find one-split; }
