# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the lint scripts: which files are ours.

# sources EXTENSION...: tracked files with these extensions (all files when git is not there).
sources() {
	local e args=()
	for e in "$@"; do args+=("*.$e"); done
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "${args[@]}"
	else
		for e in "$@"; do find . -path ./build -prune -o -name "*.$e" -print; done | sed 's|^\./||'
	fi | sort -u | while IFS= read -r e; do [ -e "$e" ] && echo "$e"; done
}
