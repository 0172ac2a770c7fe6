# Attributes of empty files, named and in a directory: they are in the layer, and in the key.
attrs() { tree | sed -nE 's,^(/e|/dir/[a-z]+|/d/f) .*sha=[0-9a-f]+ ?,\1 ,p' | tr '\n' ';'; }
is() { [ "$(attrs)" = "$1" ] || fail "$(attrs), not $1"; }
b
is '/d/f xattr.user.k=one;/dir/e xattr.user.k=one;/dir/none ;/e xattr.user.k=one;'
setfattr -n user.k -v two ctx/e
b; cached 0
is '/d/f xattr.user.k=one;/dir/e xattr.user.k=two;/dir/none ;/e xattr.user.k=two;'
setfattr -x user.k ctx/e
b; cached 0
is '/d/f xattr.user.k=one;/dir/e ;/dir/none ;/e ;'
setfattr -n user.k -v one ctx/e
b; cached 3
is '/d/f xattr.user.k=one;/dir/e xattr.user.k=one;/dir/none ;/e xattr.user.k=one;'
