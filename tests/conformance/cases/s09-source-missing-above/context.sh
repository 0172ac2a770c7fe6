echo > ../outside
