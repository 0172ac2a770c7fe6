b --build-arg v=1
b --build-arg v=2; cached 1
tree --layer -2 > one; b --build-arg v=3; tree --layer -2 > two; cmp one two || fail "the linked layer changed"
