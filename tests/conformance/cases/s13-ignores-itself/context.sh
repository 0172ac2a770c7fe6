printf 'Dockerfile\n.dockerignore\n' > .dockerignore; touch a Dockerfile
