#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which folder may include which header, which library has which home, and that no headers include
# each other in a circle. One line per violation; status 1 if there is any.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh

# The longest folder prefix of the including file decides. Right: regular expressions, full match.
# H stands for one header name.
layers='
parser/           parser/H
store/base/       store/base/H
store/oci/        store/base/H store/compress/compress.h store/oci/H
store/compress/   store/base/H store/compress/H
store/tar/        store/base/H store/compress/inflate.h store/tar/H
store/tree/       store/base/H store/tar/(arena|entry|holes|list|name|times|walk|write).h store/tree/H
store/erofs/      store/base/H store/tar/(name|times).h store/tree/(node|tree).h store/erofs/H
store/            store/base/H store/oci/(layertype|oci).h store/compress/(compress|deflate|inflate).h store/tar/(entry|retime|times).h store/tree/(tree|unpack).h store/erofs/erofs.h store/H
store/transport/  store/base/H store/oci/H store/compress/(compress|deflate|inflate).h store/tar/(entry|userarchive|walk|write).h store/H store/transport/H
builder/sandbox/  store/base/H store/lower.h builder/sandbox/H
builder/ui/       store/base/H builder/ui/H builder/event.h
builder/copy/     store/base/H store/statcache.h store/tar/(entry|list|userarchive|write).h store/tree/tree.h builder/copy/H parser/(filemode|ignore|pattern|slice|suggest).h
builder/main.c    store/base/H builder/cli/cli.h
builder/cli/      store/base/H store/oci/(layertype|oci).h store/H store/compress/compress.h store/transport/(transport|transfer|auth).h parser/H builder/(build|options|targets|platforms).h builder/(plan|log|input|cache|image|lint|run)/H builder/fetch/creds.h builder/cli/H builder/(sandbox/sandbox|ui/ui|output/output).h
builder/          store/base/H store/oci/oci.h store/tar/times.h store/tree/tree.h store/H store/transport/transfer.h parser/H builder/H builder/(plan|secrets|fetch|input|cache|image|lint|explain|steps|run)/H builder/sandbox/sandbox.h builder/copy/copy.h
builder/steps/    store/base/H store/oci/oci.h store/tree/tree.h store/H parser/H builder/(options|session|step|state).h builder/(job|origin).h builder/(plan|secrets|fetch|git|cache|image|explain|steps)/H builder/copy/copy.h
builder/run/      store/base/H store/oci/oci.h store/tar/entry.h store/tree/(tree|unpack).h store/H parser/H builder/(options|session|step|state).h builder/(job|origin).h builder/(plan|secrets|cache|image|explain|steps|run)/H builder/sandbox/sandbox.h builder/copy/copy.h
builder/explain/  store/base/H store/oci/oci.h store/H parser/H builder/plan/scope.h builder/(job|origin).h builder/(cache|explain)/H builder/copy/copy.h
builder/lint/     store/base/H store/oci/oci.h store/H parser/H builder/job.h builder/(plan|input|lint)/H
builder/image/    store/base/H store/oci/(layertype|oci).h store/tar/entry.h store/tree/tree.h store/H parser/H builder/(options|session|step|state).h builder/(plan|input|cache|image)/H
builder/input/    store/base/H store/oci/oci.h store/tar/(entry|list|userarchive).h store/tree/tree.h store/H store/transport/(transfer|download).h parser/H builder/(plan|fetch|git|steps|input)/H builder/copy/copy.h
builder/git/      store/base/H store/oci/oci.h store/H store/transport/(transfer|download).h parser/H builder/(secrets|fetch|cache|git)/H
builder/fetch/    store/base/H store/oci/oci.h store/H store/transport/(transfer|download).h parser/H builder/session.h builder/(plan|cache|fetch)/H
builder/cache/    store/base/H store/oci/oci.h store/tar/(list|write).h store/tree/(freeze|tree).h store/erofs/erofs.h store/H parser/H builder/(options|session|step|state).h builder/(plan|secrets|image|cache)/H builder/sandbox/sandbox.h builder/copy/copy.h
builder/output/   store/base/H store/oci/(layertype|oci).h store/compress/compress.h store/tar/(entry|list).h store/tree/tree.h store/H parser/(slice|suggest|words).h builder/output/H
builder/log/      store/base/H store/H builder/event.h builder/log/H
builder/secrets/  store/base/H store/H parser/H builder/secrets/H
builder/plan/     store/base/H store/oci/oci.h store/H store/transport/transfer.h parser/H builder/plan/H
'

# header (regular expression), then the only files that may include it
homes='
curl/.*            store/transport/curllib\.h
dlfcn\.h           store/base/dynlib\.c
openssl/.*         store/base/cryptolib\.h
jansson\.h         store/base/jsonx\.[ch]|store/oci/.*|store/transport/.*|store/cache\.c
archive(_entry)?\.h store/tar/archivelib\.h
sched\.h           builder/sandbox/.*|store/base/cpus\.c
sys/mount\.h       builder/sandbox/.*
seccomp\.h         builder/sandbox/seccomplib\.h
linux/.*           builder/sandbox/.*|store/base/fs[a-z_]*\.[ch]
'

list=$(mktemp)
trap 'rm -f "$list"' EXIT
sources c h l y | grep -E '^(parser|store|builder)/' |
	xargs -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' >"$list"

awk -v layers="$layers" -v homes="$homes" '
BEGIN {
	n = split(layers, row, "\n")
	for (i = 1; i <= n; i++) {
		k = split(row[i], f, " ")
		if (k < 2)
			continue
		all = ""
		for (j = 2; j <= k; j++) {
			gsub(/\./, "[.]", f[j])
			sub(/H$/, "[a-z0-9_]+[.]h", f[j])
			all = all (j > 2 ? "|" : "") f[j]
		}
		may[f[1]] = "^(" all ")$"
	}
	n = split(homes, row, "\n")
	for (i = 1; i <= n; i++)
		if (split(row[i], f, " ") == 2)
			home["^" f[1] "$"] = "^(" f[2] ")$"
}
{
	file = $0; sub(/:.*/, "", file)
	text = $0; sub(/^[^:]*:[0-9]+:/, "", text)
	what = text; sub(/^[^"<]*["<]/, "", what); sub(/[">].*/, "", what)
	if (text ~ /</) {
		for (h in home)
			if (what ~ h && file !~ home[h]) {
				print "library: " file " includes <" what ">, whose home is " home[h]
				bad = 1
			}
		next
	}
	if (file ~ /^parser\// && what ~ /^parser\/(lexer|grammar)\.h$/)
		next
	best = ""
	for (p in may)
		if (index(file, p) == 1 && length(p) > length(best))
			best = p
	if (best == "" || what !~ may[best]) {
		print "layer: " file " includes \"" what "\""
		bad = 1
	}
}
END { exit bad }' "$list"
rc=$?

# Circles among headers: tsort names the members of each.
edges=$(sed -nE 's/^([^:]*\.h):[0-9]+:[^"]*"([^"]+)".*/\1 \2/p' "$list")
if [ -n "$edges" ]; then
	circle=$(echo "$edges" | tsort 2>&1 >/dev/null | grep -v 'input contains a loop' | sed 's/^tsort: //')
	if [ -n "$circle" ]; then
		echo "circle: these headers include each other:" $circle
		rc=1
	fi
fi
exit $rc
