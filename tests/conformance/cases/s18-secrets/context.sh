printf 'abc' > ../one.secret
