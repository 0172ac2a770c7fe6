// SPDX-License-Identifier: Apache-2.0
/*
 * "keys hold NAME PROGRAM ARGUMENT...": a session keyring with a user key NAME, then the program.
 * "keys find NAME": looks for it in its session keyring; prints "found", or the error's name. Built
 * without a dynamic loader, so that it runs in an empty image.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "hold") == 0) {
		if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
			syscall(SYS_add_key, "user", argv[2], "canary", 6,
				KEY_SPEC_SESSION_KEYRING) < 0) {
			perror("keys");
			return 77;
		}
		execvp(argv[3], argv + 3);
		perror(argv[3]);
		return 1;
	}
	if (argc == 3 && strcmp(argv[1], "find") == 0) {
		long key = syscall(
			SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", argv[2], 0);

		printf("%s\n", key < 0 ? strerrorname_np(errno) : "found");
		return 0;
	}
	fprintf(stderr, "keys hold NAME PROGRAM... | keys find NAME\n");
	return 2;
}
