printf 'small' > ../secret; echo f > f
