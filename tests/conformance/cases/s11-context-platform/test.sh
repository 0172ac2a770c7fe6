# NAME::OS/ARCH goes before NAME, for the platform it names.
mkdir any arm; echo any > any/f; echo arm > arm/f
printf 'FROM scratch\nCOPY --from=n /f /f\n' > Dockerfile
for p in amd64:any arm64:arm; do
	b --platform "linux/${p%:*}" --build-context n::linux/arm64=arm --build-context n=any
	tree | grep -q "^/f .*sha=$(sha256sum < "${p#*:}/f" | cut -c1-64)" || { fail "$p"; tree; }
done
bld build -f Dockerfile --build-context n::linux/=any ctx > o 2>&1 && fail "no platform"
grep -q 'build-context' o || { fail message; cat o; }
