# shellcheck shell=bash
ssh-agent -D -a "$dir/agent.sock" >/dev/null 2>&1 &
agent=$!
trap 'kill $agent' EXIT
for ((i = 0; i < 200; i++)); do
	[ ! -S "$dir/agent.sock" ] || break
	sleep 0.02
done
SSH_AUTH_SOCK=$dir/agent.sock b --ssh default --ssh "b=$dir/agent.sock"
cat >expect <<'X'
/1 content=socket%20600%200:0%0a/run/buildkit/ssh_agent.0%0a
/2 content=socket%20660%201000:50%0a
/3 content=/run/buildkit/ssh_agent.0%0a
/4 content=[]%0a
/5 content=
! /run/buildkit
! /tmp/s
X
tree --check expect || fail "the tree is not as expected"
