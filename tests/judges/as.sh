#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Another builder under bld's command line, so that a conformance case can be tried on it:
#
#   JUDGE=docker|buildah LAB=DIR as.sh [--root LAYOUT] build [OPTION]... CONTEXT
#
# The image goes into the OCI layout LAYOUT under each of its names, as bld would put it there, so
# that the tools of the tests read it. Everything is below $LAB, which the chroot of the judges shows
# under the same path. Exit status: the judge's; 120: the judge has no such command.
set -u
layout=
if [ "${1:-}" = --root ]; then
	layout=$2
	shift 2
fi
if [ "${1:-}" != build ]; then
	echo "judge: \"${1:-}\" is a command of bld alone" >&2
	exit 120
fi
shift

names=() args=() progress=(--progress=plain) pull=(--pull-never)
while [ $# -gt 0 ]; do
	case $1 in
	--pull | --pull=*) pull=() && args+=("$1") ;;
	-o | --output) layout= && args+=("$1") ;; # there is no image then
	-t) names+=("$2") && shift ;;
	--progress=*) ;;
	-q | --quiet) progress=() args+=("$1") ;;
	*) args+=("$1") ;;
	esac
	shift
done
[ ${#names[@]} -gt 0 ] || names=("localhost/judged-$$")

in_chroot() { chroot "$LAB/trixie" env -C "$PWD" HOME="$LAB/run" "$@"; }
full() { # full NAME: with registry, repository and tag, as bld writes it into its layout
	local n=$1
	case $n in */*) ;; *) n=docker.io/library/$n ;; esac
	case ${n##*/} in *:*) ;; *) n=$n:latest ;; esac
	echo "$n"
}

into_layout() { # into_layout ARCHIVE: the image of the archive, under all names
	local n all=()
	for n in "${names[@]}"; do all+=("$(full "$n")"); done
	mkdir -p "$layout" && python3 "$(dirname "$0")/layout.py" "$1" "$layout" "${all[@]}"
}

archive=$(mktemp -d "$LAB/t/saved.XXXXXX") || exit
trap 'rm -rf "$archive"' EXIT
case $JUDGE in
docker)
	tool=(docker -H "unix://$LAB/run/docker.sock")
	tags=()
	for n in "${names[@]}"; do tags+=(-t "$n"); done
	# dockerd keeps what it knows of a context under the last part of its name, and takes a file of
	# equal size and time for the same one.
	context=${args[-1]:-}
	if [ -d "$context" ]; then
		unlike=$PWD/$(basename "$context").$(printf '%s' "$PWD" | cksum | cut -d' ' -f1)
		ln -sfn "$(realpath "$context")" "$unlike" && args[-1]=$unlike
	fi
	in_chroot "${tool[@]}" build --network=host "${progress[@]}" "${tags[@]}" "${args[@]}" || exit
	[ -n "$layout" ] || exit 0
	in_chroot "${tool[@]}" save -o "$archive/a" "${names[0]}" && into_layout "$archive/a"
	;;
buildah)
	tool=(buildah --root "$LAB/store/${BUILDAH_STORE:-b-judge}" --runroot "$LAB/run/${BUILDAH_STORE:-b-judge}" --storage-driver overlay)
	in_chroot "${tool[@]}" bud --isolation chroot --layers "${pull[@]}" --format docker --identity-label=false \
		-t "${names[0]}" "${args[@]}" || exit
	[ -n "$layout" ] || exit 0
	in_chroot "${tool[@]}" push -q "${names[0]}" "docker-archive:$archive/a" && into_layout "$archive/a"
	;;
esac
