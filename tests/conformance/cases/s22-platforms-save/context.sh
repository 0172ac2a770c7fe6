echo amd > f-amd64; echo arm > f-arm64
