b -o type=oci,dest=out,tar=false
python3 "$TOOLS/treedump.py" "oci:out" | grep -q '^/x ' || fail "the layout"
