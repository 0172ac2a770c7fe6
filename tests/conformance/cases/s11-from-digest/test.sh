d=$(python3 "$TOOLS/configdump.py" --digest "oci:$dir/store:localhost/base:latest")
printf 'FROM localhost/base@%s\nRUN echo 1 > /x\n' "$d" > Dockerfile
b
tree | grep -q '^/x ' || fail "by digest"
printf 'FROM localhost/base:sometag@%s\nRUN echo 1 > /x\n' "$d" > Dockerfile
b
tree | grep -q '^/x ' || fail "by digest beside a tag"
printf 'FROM localhost/base@sha256:%064d\nRUN echo 1 > /x\n' 7 > Dockerfile
bld build --progress=plain -f "$dir/Dockerfile" ctx > o 2>&1 && fail "another digest was taken"
grep -q 'Dockerfile:1' o || { fail "no line"; cat o; }
