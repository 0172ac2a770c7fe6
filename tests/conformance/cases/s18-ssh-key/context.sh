for k in k1 k2; do ssh-keygen -q -t ed25519 -N '' -f ../$k; done
