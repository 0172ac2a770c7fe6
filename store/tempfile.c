// SPDX-License-Identifier: Apache-2.0
/*
 * A file without a name (O_TMPFILE) that gets one when it is whole; no crash can leave half of it
 * behind. It is linked through /proc, and where that or the file system does not allow it the file
 * has a name in tmp from the beginning. A link replaces nothing, so an existing name is replaced by
 * link and rename.
 */
#include "store/tempfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PROC_FD 32 /* "/proc/self/fd/N" */

static const char *proc_name(int fd, char out[PROC_FD])
{
	snprintf(out, PROC_FD, "/proc/self/fd/%d", fd);
	return out;
}

static int tempfile_open_named(struct tempfile *t)
{
	fs_temp_name(t->name, sizeof t->name, "f");
	t->fd = fs_openat(store_tmp_fd(t->s), t->name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (t->fd < 0)
		t->name[0] = '\0';
	return t->fd < 0 ? -1 : 0;
}

int tempfile_open(struct store *s, struct tempfile *t)
{
	*t = (struct tempfile){.s = s, .fd = -1};
	if (store_has_proc(s))
		t->fd = openat(store_bld_fd(s), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (t->fd >= 0)
		return 0;
	if (store_has_proc(s) && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL &&
		errno != ENOENT)
		return -1;
	return tempfile_open_named(t);
}

int tempfile_publish(struct tempfile *t, int dir_fd, const char *name)
{
	char proc[PROC_FD];

	if (!*t->name) {
		if (fs_linkat(AT_FDCWD, proc_name(t->fd, proc), dir_fd, name, AT_SYMLINK_FOLLOW) ==
			0)
			return 0;
		if (errno != EEXIST)
			return -1;
		/* A link replaces nothing; a rename does. */
		fs_temp_name(t->name, sizeof t->name, "f");
		if (fs_linkat(AT_FDCWD, proc, store_tmp_fd(t->s), t->name, AT_SYMLINK_FOLLOW) < 0) {
			t->name[0] = '\0';
			return -1;
		}
	}
	if (fs_renameat(store_tmp_fd(t->s), t->name, dir_fd, name) < 0)
		return -1;
	t->name[0] = '\0';
	return 0;
}

int tempfile_reader(const struct tempfile *t)
{
	char proc[PROC_FD];

	if (*t->name)
		return fs_openat(store_tmp_fd(t->s), t->name, O_RDONLY | O_NOFOLLOW, 0);
	return open(proc_name(t->fd, proc), O_RDONLY | O_CLOEXEC);
}

void tempfile_close(struct tempfile *t)
{
	int saved = errno;

	if (*t->name)
		fs_unlinkat(store_tmp_fd(t->s), t->name, 0);
	t->name[0] = '\0';
	fd_close(t->fd);
	t->fd = -1;
	errno = saved;
}
