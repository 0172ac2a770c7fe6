printf '# comment\n*.o\n/build/\n  tmp?  \n #notcomment\nd/**/x\n**/*.log\n[ab].txt\n' > .dockerignore
mkdir -p build d/1/2 e/build; touch a.o e/b.o build/f e/build/f tmp1 tmp12 '#notcomment' d/x d/1/x d/1/2/x d/1/y e/f.log x.log a.txt b.txt c.txt
