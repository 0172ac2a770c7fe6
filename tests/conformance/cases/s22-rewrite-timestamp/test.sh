b --build-arg SOURCE_DATE_EPOCH=1700000000 -o type=oci,dest=out.tar,rewrite-timestamp=true
mkdir lay; tar -C lay -xf out.tar
python3 "$TOOLS/treedump.py" --mtime oci:lay | grep '^/x ' | grep -q 'mtime=1700000000' || { fail "time"; python3 "$TOOLS/treedump.py" --mtime oci:lay | grep '^/x '; }
