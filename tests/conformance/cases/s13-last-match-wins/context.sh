printf '*.md\n!README*.md\nREADME-secret.md\nfoo\n!foo/bar\n' > .dockerignore
mkdir -p foo; touch a.md README.md README-secret.md README-x.md foo/bar foo/baz
