echo 'b' > .dockerignore; echo 'a' > .containerignore; touch a b
