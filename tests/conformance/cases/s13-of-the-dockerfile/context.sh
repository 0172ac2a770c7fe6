echo 'a' > .dockerignore; echo 'b' > ../Dockerfile.dockerignore; touch a b
