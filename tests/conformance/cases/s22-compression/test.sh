b
for c in gzip zstd none gzip:9; do
	f=${c/:/-}
	bld save --format oci-archive --compression $c -o $f.tar "$image" > o 2>&1 || { fail "$c"; cat o; continue; }
	skopeo inspect --raw oci-archive:$f.tar | jq -r '.layers[0].mediaType' > t
	case $c in
		gzip*) grep -q 'gzip$' t ;; zstd) grep -q 'zstd$' t ;; none) grep -q 'tar$' t ;;
	esac || fail "$c: $(cat t)"
done
