echo secret > .dockerignore; touch secret
