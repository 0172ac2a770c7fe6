sum() { tree | grep '^/x ' | sed 's/.*sha=//'; }
printf '# comment\nreal\n' > ctx/src
b; one=$(sum)
b; [ "$(sum)" = "$one" ] || fail "nothing changed: ran again"
printf '# other comment\nreal\n' > ctx/src
b; [ "$(sum)" = "$one" ] || fail "the stage gave the same files: ran again"
printf 'changed\n' > ctx/src
b; [ "$(sum)" != "$one" ] || fail "the stage gave other files: did not run again"
