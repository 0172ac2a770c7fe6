# shellcheck shell=bash
printf canary-value-1 >secret
export CASE_SECRET=canary-value-2
b --secret id=f,src="$dir/secret" --secret type=env,id=e,env=CASE_SECRET --secret id=CASE_SECRET
one=$(printf canary-value-1 | md5sum | sed 's/ /%20/g')%0a
two=$(printf canary-value-2 | md5sum | sed 's/ /%20/g')%0a
for f in f k t; do echo "/$f content=$one"; done >expect
for f in e v; do echo "/$f content=$two"; done >>expect
printf '! /a\n! /key\n! /run/secrets\n' >>expect
tree --check expect || fail "the tree is not as expected"
