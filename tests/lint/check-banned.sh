#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Functions without a limit, with hidden state or that depend on the locale are not called; nor
# are words left that mean "later". Comments and strings of C files do not count as calls.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
bad=0

calls='strcpy strcat sprintf vsprintf strncpy strncat strtok gets tmpnam mktemp tempnam gmtime localtime ctime asctime atoi atol atoll sscanf system popen alloca signal'
outside_sandbox='setenv putenv unsetenv chdir chroot umask'

# call and the only files (a regular expression) that call it: the others go through what these offer.
only='
pthread_create  store/base/thread\\.c
fdopendir       store/base/fs\\.c
readdir         store/base/fs\\.c
'
# Programs and processes begin in two places: what a child gets, and how it ends, is decided there.
for call in fork vfork clone clone3 posix_spawn posix_spawnp execv execve execvp execvpe execveat execl execle execlp \
	fexecve waitpid waitid wait wait3 wait4 fchdir daemon; do
	only+="$call store/base/child\\\\.c|builder/sandbox/.*
"
done

strip='{ gsub(/"([^"\\]|\\.)*"/, "\"\""); gsub(/\/\*[^*]*\*\//, ""); sub(/\/\/.*/, "") }
	/^[ \t]*(\*([ \/]|$)|\/\*)/ { next }'

# One awk for all files: which names are looked for depends on the file.
sources c h l y | grep -E '^(parser|store|builder)/' | xargs awk -v calls="$calls" -v outside="$outside_sandbox" -v only="$only" '
	BEGIN {
		rows = split(only, row, "\n")
		for (i = 1; i <= rows; i++)
			if (split(row[i], f, " ") == 2)
				home[f[1]] = f[2]
	}
	FNR == 1 {
		names = calls (FILENAME ~ /^builder\/sandbox\// ? "" : " " outside)
		for (c in home)
			if (FILENAME !~ "^(" home[c] ")$")
				names = names " " c
		n = split(names, w, " ")
		gsub(/ /, "|", names)
		any = "(^|[^A-Za-z0-9_>.])(" names ")[ \t]*\\("
	}
	'"$strip"'
	# What threads share is _Atomic (stdatomic.h), a request to stop store/base/cancel.h.
	/__(atomic|sync)_[a-z]/ || /(^|[^A-Za-z0-9_])volatile([^A-Za-z0-9_]|$)/ && !/volatile sig_atomic_t/ {
		print "banned: " FILENAME ":" FNR ": volatile or a builtin in place of _Atomic"
		bad = 1
	}
	/(SYS|__NR)_(v?fork|clone3?|execve(at)?|f?chdir|chroot|wait4|waitid)/ && FILENAME !~ "^(" home["fork"] ")$" {
		print "banned: " FILENAME ":" FNR ": a process or a directory by number of the call"
		bad = 1
	}
	# Of a directory that could not be opened, fs_openat and its like keep the reason.
	/(^|[^A-Za-z0-9_])(openat|renameat2?|linkat|symlinkat|unlinkat|mkdirat|mknodat|fstatat|fchownat|utimensat)\(.*store_(dir|tmp_fd|blobs_fd)\(/ {
		print "banned: " FILENAME ":" FNR ": a directory that may not be open (fs_openat)"
		bad = 1
	}
	$0 ~ any {
		for (i = 1; i <= n; i++)
			if ($0 ~ "(^|[^A-Za-z0-9_>.])" w[i] "[ \t]*\\(") {
				print "banned: " FILENAME ":" FNR ": " w[i]
				bad = 1
			}
	}
	END { exit bad }' || bad=1

later='TO''DO|FIX''ME|X''XX|HA''CK'
while IFS= read -r line; do
	echo "later: $line"
	bad=1
done < <(sources c h l y sh bats bash py md | grep -v '^tests/lint/' | xargs -r grep -nE "\\b($later)\\b")
exit $bad
