# A name that is nothing is taken for an image; what was meant is told when it is near.
try() { # try EXPECTED LINES...
	printf '%s\n' "${@:2}" > Dockerfile
	bld build -f Dockerfile --pull=never --build-context sources=ctx ctx > o 2>&1 && fail "$2"
	grep -qF "did you mean $1?" o || { fail "$1"; cat o; }
}
try 'stage "builder"' 'FROM localhost/base AS builder' 'FROM scratch' 'COPY --from=bilder /f /f'
try 'stage "builder"' 'FROM localhost/base AS builder' 'FROM buildr'
try 'stage "builder"' 'FROM localhost/base AS builder' 'FROM localhost/base' 'RUN --mount=from=bulder,target=/m true'
try '--build-context "sources"' 'FROM scratch' 'COPY --from=source /f /f'
try '--build-context "sources"' 'FROM surces'
try '--build-context "sources"' 'FROM localhost/base' 'RUN --mount=from=sorces,target=/m true'
