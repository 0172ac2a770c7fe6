echo 'b' > .dockerignore; echo 'a' > ../mine; touch a b
