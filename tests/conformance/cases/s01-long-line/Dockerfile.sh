printf 'FROM localhost/base\nLABEL LONG='; head -c 200000 /dev/zero | tr '\0' x; printf '\nRUN printf %%s ok > /x\n'
