docker-registry --version > v 2>&1 || fail "no docker-registry"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s/reg}}\nhttp: {addr: "127.0.0.1:%s"}\nlog: {level: error}\n' "$dir" "$port" > reg.yml
docker-registry serve reg.yml > reg.log 2>&1 &
reg=$!
for ((i = 0; i < 500; i++)); do curl -s "http://127.0.0.1:$port/v2/" > c && break; sleep 0.02; done
image=127.0.0.1:$port/team/app
b --push
skopeo inspect --tls-verify=false --raw "docker://$image:latest" > m || fail "skopeo"
[ "sha256:$(sha256sum < m | cut -d' ' -f1)" = "$(jq -r .digest <(skopeo inspect --tls-verify=false "docker://$image:latest" | jq '{digest: .Digest}'))" ] || fail "digest"
skopeo copy -q --src-tls-verify=false "docker://$image:latest" oci:got:x && python3 "$TOOLS/treedump.py" oci:got:x | grep -q '^/x ' || fail "the tree"
b -o type=registry,name="127.0.0.1:$port/team/other:v2"
skopeo inspect --tls-verify=false --raw "docker://127.0.0.1:$port/team/other:v2" > m2 || fail "type=registry"
kill "$reg"
wait "$reg" 2> w
