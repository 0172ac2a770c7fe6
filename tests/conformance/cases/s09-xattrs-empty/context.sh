: > e; : > none; mkdir d; : > d/f
setfattr -n user.k -v one e; setfattr -n user.k -v one d/f
