b; tree > plain
b --squash; tree > squashed
cmp plain squashed || { fail "another tree"; diff plain squashed; }
config | jq -e '(.rootfs.diff_ids | length) == 2 and ([.history[] | select(.empty_layer != true)] | length) == 2' > o || { fail layers; config; }
tree --layer -1 > l; ! grep -q '/y' l || fail "what was deleted is in the layer"
