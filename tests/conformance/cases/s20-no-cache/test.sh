sum() { tree | grep '^/x ' | sed 's/.*sha=//'; }
b; one=$(sum)
b; cached 1; [ "$(sum)" = "$one" ] || fail "ran again"
b --no-cache; cached 0; [ "$(sum)" != "$one" ] || fail "--no-cache: not run again"; two=$(sum)
b; cached 1; [ "$(sum)" = "$two" ] || fail "the result of --no-cache was not kept"
