// SPDX-License-Identifier: Apache-2.0
/*
 * Depth first, from the top each time: nothing is remembered between slices. Somebody else may
 * delete the same tree, so whatever is missing counts as done. Very deep directories are moved up.
 */
#include "store/trash.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fs.h"

#define DEPTH_MAX 64

struct slice {
	int top; /* bld/trash */
	dev_t dev;
	size_t left;
	size_t done;
};

static void trash_count(struct slice *x)
{
	x->left--;
	x->done++;
}

static int trash_open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	auto_fd int closed =
		fd < 0 && errno == EACCES
			? openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			: -1;

	if (closed >= 0 && fs_chmod(closed, 0700) == 0)
		fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/* Freeing the blocks of a large file takes long: then only its end goes. true: that was done. */
static bool shorten(struct slice *x, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
		st.st_nlink != 1 || st.st_size < (off_t)TRASH_SLICE_BYTES ||
		(uint64_t)st.st_blocks * 512 <= TRASH_SLICE_BYTES)
		return false;
	auto_fd int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ftruncate(fd, st.st_size - (off_t)TRASH_SLICE_BYTES) < 0)
		return false;
	x->done += x->left;
	x->left = 0;
	return true;
}

static void trash_empty(struct slice *x, int take_fd, int depth);

static void trash_remove_dir(struct slice *x, int dir, const char *name, int depth)
{
	struct stat st;
	char up[FS_TEMP_NAME];

	if (depth == DEPTH_MAX) {
		fs_temp_name(up, sizeof up, "deep");
		if (renameat(dir, name, x->top, up) == 0)
			trash_count(x);
		return;
	}
	int fd = trash_open_dir(dir, name);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == x->dev)
		trash_empty(x, TAKE_FD(fd), depth + 1);
	fd_close(fd);
	if (x->left && unlinkat(dir, name, AT_REMOVEDIR) == 0)
		trash_count(x);
}

static void trash_remove_entry(struct slice *x, int dir, const struct dirent *e, int depth)
{
	if (e->d_type != DT_DIR) {
		if (e->d_type != DT_LNK && shorten(x, dir, e->d_name))
			return;
		bool gone = unlinkat(dir, e->d_name, 0) == 0;
		if (gone)
			trash_count(x);
		/* Linux says EISDIR: a file system that does not tell types */
		if (gone || e->d_type != DT_UNKNOWN || errno != EISDIR)
			return;
	}
	trash_remove_dir(x, dir, e->d_name, depth);
}

static bool trash_is_shared(const char *name)
{
	return strncmp(name, "dir.", 4) == 0 || strncmp(name, "index.", 6) == 0;
}

static void trash_empty(struct slice *x, int take_fd, int depth)
{
	DIR *d = fs_fdopendir(take_fd);
	const struct dirent *e;

	if (!d)
		return;
	while (x->left && fs_readdir(d, &e) == 1)
		if (depth > 0 || !trash_is_shared(e->d_name))
			trash_remove_entry(x, take_fd, e, depth);
	closedir(d);
}

size_t trash_slice(struct store *s, size_t max)
{
	struct stat st;
	struct slice x = {.top = store_dir(s, STORE_TRASH), .left = max};
	int saved = errno;
	int fd = openat(x.top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0) {
		x.dev = st.st_dev;
		trash_empty(&x, TAKE_FD(fd), 0);
	}
	fd_close(fd);
	errno = saved;
	return x.done;
}
