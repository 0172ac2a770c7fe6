# The base image brings the triggers; no line of this file names the stage.
cat > p <<'X'
FROM localhost/base
ONBUILD COPY --from=1 /f /got
ONBUILD RUN --mount=from=artifacts,target=/m cat /m/f > /mounted
X
bld build -q -f p -t late ctx > o 2>&1 || { fail parent; cat o; }
b
tree | grep -cE '^/(got|mounted) .*size=9 ' | grep -qx 2 || { fail tree; tree; }
printf 'FROM localhost/base AS a\nFROM late\n' > Dockerfile
bld build -q -f Dockerfile ctx > o 2>&1 && fail "no stage 1 in front"
grep -q 'ONBUILD of the base image:1' o || { fail "no place"; cat o; }
grep -q 'runs in stage "1"' o || { fail "no stage named"; cat o; }
