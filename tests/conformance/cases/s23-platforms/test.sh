found() { bld lint --format json -f "$1" ctx 2> e | jq -r '.warnings[]? | "\(.ruleName):\(.location.ranges[0].start.line)"' | sort; }
found Dockerfile > have; tr " " "\n" <<<"FromPlatformFlagConstDisallowed:1 RedundantTargetPlatform:2" | sort > want
diff want have || { fail "findings: < wanted"; cat e; }
found "$case/Good" > have
[ ! -s have ] || { fail "findings in a good file"; cat have; }
