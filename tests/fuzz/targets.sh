#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# For the scripts of this directory: names of the targets, and what MemorySanitizer cannot judge.
# Sourced in the top directory.

fuzz_targets() {
	local f
	for f in tests/fuzz/fuzz_*.c; do
		f=${f##*/fuzz_}
		echo "${f%.c}"
	done
}

# fuzz_no_memory TARGET: why it is not run under MemorySanitizer; false when it is. The libraries are
# not instrumented: where all bytes that matter are theirs, every report would be a false one.
fuzz_no_memory() {
	case $1 in
	inflate) echo "all output is written by isa-l, zlib and zstd" ;;
	archive | imagearchive) echo "all entries are written by libarchive" ;;
	*) return 1 ;;
	esac
}
