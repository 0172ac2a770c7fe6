/* SPDX-License-Identifier: Apache-2.0 */
/* A private directory for one unit test, and small file helpers in it. Every failure ends the test.
 */
#ifndef BLD_TESTS_SUPPORT_TEMPDIR_H
#define BLD_TESTS_SUPPORT_TEMPDIR_H

#include <stdbool.h>
#include <stddef.h>

struct tempdir {
	char path[128];
	int fd;
};

void tempdir_make(struct tempdir *t);
void tempdir_remove(struct tempdir *t);

/* The same as a cmocka fixture. */
int tempdir_setup(void **state);
int tempdir_teardown(void **state);

void tempdir_write(int dir_fd, const char *name, const char *text);
/* Owned by the caller. */
char *tempdir_read(int dir_fd, const char *name);
bool tempdir_has(int dir_fd, const char *name);
/* Entries other than "." and "..". */
size_t tempdir_count(int dir_fd, const char *name);

/* From now on this process (a child of the test) finds no file system that has files without names
 * (O_TMPFILE), as on NFS. */
bool tempdir_refuse_tmpfile(void);

#endif
