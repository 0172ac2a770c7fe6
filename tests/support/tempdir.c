// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tempdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void tempdir_make(struct tempdir *t)
{
	const char *base = getenv("TMPDIR");

	snprintf(t->path, sizeof t->path, "%s/bld-unit-XXXXXX", base && *base ? base : "/var/tmp");
	need(mkdtemp(t->path), t->path);
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(t->fd >= 0, t->path);
}

void tempdir_remove(struct tempdir *t)
{
	close(t->fd);
	int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(top >= 0 && fs_remove_tree(top, t->path + 1) == 0, t->path);
	close(top);
}

void tempdir_write(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	need(fd >= 0 && fs_write_all(fd, text, strlen(text)) == 0, name);
	close(fd);
}

char *tempdir_read(int dir_fd, const char *name)
{
	struct buf b = {0};
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

	need(fd >= 0 && fs_read_fd(fd, (size_t)16 << 20, name, &b, NULL) == 0, name);
	close(fd);
	return buf_take(&b);
}

bool tempdir_has(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

size_t tempdir_count(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;

	need(d, name);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}
