bld build -f Dockerfile ctx > o 2>&1 && fail "insecure without --allow"
grep -q 'Dockerfile:3' o && grep -q -- '--allow' o || { fail "the message"; cat o; }
b --allow security.insecure
