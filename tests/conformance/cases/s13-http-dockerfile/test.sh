start_web || fail servers
printf 'FROM scratch\nLABEL from=web\n' > www/Dockerfile
# A URL that is no archive is the Dockerfile, with an empty context.
bld build -q -t "$image" "http://$WEB/files/Dockerfile" > o 2>&1 || { fail context; cat o; }
[ "$(config | jq -r .config.Labels.from)" = web ] || fail "label of the context"
# -f URL, with a context.
printf 'FROM scratch\nCOPY f /f\nLABEL from=file\n' > www/other
echo f > ctx/f
bld build -q -t "$image" -f "http://$WEB/files/other" ctx > o 2>&1 || { fail "-f URL"; cat o; }
[ "$(config | jq -r .config.Labels.from)" = file ] || fail "label of -f"
tree | grep -q '^/f ' || fail "the context beside -f URL"
printf 'FROM scratch\nCOPPY f /f\n' > www/bad
bld build -f "http://$WEB/files/bad" ctx > o 2>&1 && fail "a mistake"
grep -q "$WEB/files/bad:2" o || { fail "place of the mistake"; cat o; }
bld build -f "http://$WEB/files/none" ctx > o 2>&1 && fail "404"
grep -q 404 o || { fail "404: message"; cat o; }
