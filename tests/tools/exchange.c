// SPDX-License-Identifier: Apache-2.0
/*
 * "exchange A B STOP": exchanges the names A and B as fast as it can until STOP is there, then says
 * how often. Prints a line when it has begun. Built without a dynamic loader, so that it runs in an
 * empty image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

int main(int argc, char **argv)
{
	unsigned long n = 0;

	if (argc != 4) {
		fprintf(stderr, "exchange A B STOP\n");
		return 2;
	}
	while (access(argv[3], F_OK) != 0) {
		/* EBUSY: a mount point just now */
		if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0) {
			if (n++ == 0) {
				printf("begun\n");
				fflush(stdout);
			}
		} else if (errno != EBUSY) {
			fprintf(stderr, "exchange: %s\n", strerror(errno));
			return 1;
		}
	}
	printf("exchanged %lu\n", n);
	return 0;
}
