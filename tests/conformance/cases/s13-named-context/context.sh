mkdir ../more; echo 'a' > ../more/.dockerignore; touch ../more/a ../more/b; echo c > .dockerignore; touch a c
