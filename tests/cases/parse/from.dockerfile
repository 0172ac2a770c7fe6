ARG V=1
ARG A B=2 C="x y"
FROM img:$V
FROM --platform=$BUILDPLATFORM img@sha256:abc AS Build-1.x_y
FROM build-1.x_y
FROM ${V:-"a"} as z
