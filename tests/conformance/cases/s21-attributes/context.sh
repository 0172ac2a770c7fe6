echo f > f
python3 -c 'import os; os.setxattr("f", "user.note", b"kept"); os.setxattr("f", "user.overlay.opaque", b"y")'
