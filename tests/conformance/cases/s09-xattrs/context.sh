echo f > f; mkdir d; echo g > d/g
python3 -c 'import os
os.setxattr("f", "user.colour", b"blue")
os.setxattr("d/g", "trusted.mine", b"no")'
setcap cap_net_bind_service+ep d/g
