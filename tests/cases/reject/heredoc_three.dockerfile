FROM a
COPY <<A <<B <<C /x/
a
A
b
C
B
