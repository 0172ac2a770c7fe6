b
skopeo inspect --raw "oci:$dir/store:$image:latest" > m || fail "others cannot read the store"
[ "$(sha256sum < m | cut -d' ' -f1)" = "$(digest | cut -d: -f2)" ] || fail "digest of the manifest"
umoci unpack --image "$dir/store:$image:latest" u > o 2>&1 || { fail "umoci"; cat o; }
[ "$(cat u/rootfs/x)" = 1 ] || fail "the unpacked file"
bld images | grep -q "$image" || fail "bld images"
