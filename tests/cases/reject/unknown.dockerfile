FROM a
RUNN x
COPPY a b
FOO
12 x
&& y
-x
ENTRPOINT a
workdri /x
