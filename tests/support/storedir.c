// SPDX-License-Identifier: Apache-2.0
/*
 * A store in a directory of its own for each test, and the ways to spoil it: an object of another
 * boot, an object with one bit changed.
 */
#include "tests/support/storedir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/base/mem.h"

#define TMPFS_TYPE 0x01021994

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

struct store *storedir_again(const struct storedir *d)
{
	struct err *e = NULL;
	struct store *s = store_open(d->root, &e);

	need(s, e ? err_text(e) : "store");
	return s;
}

int storedir_setup(void **state)
{
	struct storedir *d = mem_alloc(sizeof *d);

	tempdir_make(&d->t);
	snprintf(d->root, sizeof d->root, "%s/store", d->t.path);
	d->s = storedir_again(d);
	*state = d;
	return 0;
}

int storedir_teardown(void **state)
{
	struct storedir *d = *state;

	store_close(d->s);
	tempdir_remove(&d->t);
	free(d);
	return 0;
}

void storedir_reopen(struct storedir *d)
{
	store_close(d->s);
	d->s = storedir_again(d);
}

void storedir_other_boot(struct store *s, const struct digest *d)
{
	char hex[DIGEST_HEX];
	int fd = openat(store_blobs_fd(s), sha256_hex(d, hex), O_RDONLY | O_CLOEXEC);

	need(fd >= 0 && fsetxattr(fd, "user.bld.boot", "another", 7, 0) == 0, hex);
	close(fd);
}

void storedir_damage(struct store *s, const struct digest *d)
{
	char hex[DIGEST_HEX], c = 0;
	int fd = openat(store_blobs_fd(s), sha256_hex(d, hex), O_RDWR | O_CLOEXEC);

	need(fd >= 0 && pread(fd, &c, 1, 0) == 1, hex);
	c ^= 1;
	need(pwrite(fd, &c, 1, 0) == 1, hex);
	close(fd);
}

bool storedir_volatile(const struct storedir *d)
{
	struct statfs st;

	return fstatfs(d->t.fd, &st) == 0 && st.f_type == TMPFS_TYPE;
}
