// SPDX-License-Identifier: Apache-2.0
/*
 * File system calls that do not trust what they find. Opening below a root is openat2's, with a
 * walk by hand where the kernel or a seccomp filter does not know it; removing a tree enters no
 * mount and uses stack and descriptors for DEPTH_MAX levels, however deep it is. A directory
 * descriptor of -1 is refused, while AT_FDCWD passes.
 */
#include "store/base/fs.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/fswalk.h"
#include "store/base/mem.h"

#define COPY_CHUNK   ((size_t)256 << 10)
#define DEPTH_MAX    48
#define FS_FCHMODAT2 452 /* fchmodat2, the same number on every machine */
#define RENAME_RETRY 64  /* openat2 says EAGAIN when a rename crosses a ".." walk */

static int openat2_call(int root_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? mode & 07777 : 0,
		.resolve = resolve,
	};
	int fd = -1;

	for (int i = 0; i < RENAME_RETRY; i++) {
		fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

int fs_open_beneath(int root_fd, const char *path, int flags, mode_t mode, enum fs_resolve how)
{
	static const uint64_t resolve[] = {
		[FS_IN_ROOT] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
		[FS_BENEATH] = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
		[FS_NOLINKS] = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	if (root_fd == -1)
		return -1;
	int fd = openat2_call(root_fd, path, flags, mode, resolve[how]);

	/* ENOSYS: before Linux 5.6. EPERM: seccomp filters that do not know the call. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return fswalk_open(root_fd, path, flags, mode, how);
	return fd;
}

int fs_mkdirs(int dir_fd, const char *path, mode_t mode)
{
	auto_fd int at = -1;
	auto_free char *copy = mem_strdup(path);
	char *save = NULL;

	if (dir_fd == -1)
		return -1;
	for (char *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		int base = at < 0 ? dir_fd : at;
		if (mkdirat(base, name, mode) < 0 && errno != EEXIST)
			return -1;
		int next = openat(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -1;
		fd_close(at);
		at = next;
	}
	return 0;
}

int fs_openat(int dir_fd, const char *name, int flags, mode_t mode)
{
	return dir_fd == -1 ? -1 : openat(dir_fd, name, flags | O_CLOEXEC, mode);
}

int fs_lstatat(int dir_fd, const char *name, struct stat *st)
{
	return dir_fd == -1 ? -1 : fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW);
}

int fs_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	return from_fd == -1 || to_fd == -1 ? -1 : linkat(from_fd, from, to_fd, to, flags);
}

int fs_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return from_fd == -1 || to_fd == -1 ? -1 : renameat(from_fd, from, to_fd, to);
}

int fs_unlinkat(int dir_fd, const char *name, int flags)
{
	return dir_fd == -1 ? -1 : unlinkat(dir_fd, name, flags);
}

DIR *fs_opendir(int dir_fd, const char *name)
{
	return fs_fdopendir(fs_openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0));
}

DIR *fs_fdopendir(int given)
{
	auto_fd int fd = given;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		(void)TAKE_FD(fd);
	return dir;
}

int fs_readdir(DIR *dir, const struct dirent **out)
{
	do {
		errno = 0;
		*out = readdir(dir);
		if (!*out)
			return errno ? -1 : 0;
	} while (strcmp((*out)->d_name, ".") == 0 || strcmp((*out)->d_name, "..") == 0);
	return 1;
}

int fs_chmod(int path_fd, mode_t mode)
{
	char proc[32];

	/* Since Linux 6.6; EPERM also comes from filters that do not know it. */
	if (syscall(FS_FCHMODAT2, path_fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -1;
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", path_fd);
	return fchmodat(AT_FDCWD, proc, mode, 0);
}

/* A directory that is not even its owner's to read becomes so; a link in its place is left alone.
 */
static int make_readable(int dir_fd, const char *name)
{
	auto_fd int fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -1 : fs_chmod(fd, 0700);
}

/*
 * Removal of trees that somebody else made. Depth is not limited by descriptors or stack: what
 * lies deeper than DEPTH_MAX is first moved up to the top of the tree. Nothing that is mounted
 * into the tree is ever entered.
 */
static int empty_dir(int fd, int top_fd, dev_t dev, int depth, bool *moved);

/* A directory below, without links and mounts on the way. */
static int open_child(int dir_fd, const char *name, dev_t dev)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
	};
	struct stat st;
	int fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof how);

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && dev && (fstat(fd, &st) < 0 || st.st_dev != dev)) {
		close(fd);
		errno = EXDEV;
		return -1;
	}
	return fd;
}

static int fs_remove_dir(
	int dir_fd, const char *name, int top_fd, dev_t dev, int depth, bool *moved)
{
	int fd = open_child(dir_fd, name, dev);

	if (fd < 0 && errno == EACCES && make_readable(dir_fd, name) == 0)
		fd = open_child(dir_fd, name, dev);
	if (fd < 0)
		return -1;
	if (empty_dir(fd, top_fd, dev, depth, moved) < 0) /* closes fd */
		return -1;
	return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -1 : 0;
}

static int fs_remove_entry(
	int fd, const struct dirent *d, int top_fd, dev_t dev, int depth, bool *moved)
{
	if (d->d_type != DT_DIR) {
		if (unlinkat(fd, d->d_name, 0) == 0 || errno == ENOENT)
			return 0;
		/* EISDIR (Linux) or EPERM (POSIX): a file system that does not fill d_type */
		if (errno == EACCES)
			return fchmod(fd, 0700) < 0 ? -1 : unlinkat(fd, d->d_name, 0);
		if (errno != EISDIR && errno != EPERM)
			return -1;
	}
	if (depth < DEPTH_MAX)
		return fs_remove_dir(fd, d->d_name, top_fd, dev, depth + 1, moved);
	char up[FS_TEMP_NAME];
	fs_temp_name(up, sizeof up, "deep");
	if (renameat(fd, d->d_name, top_fd, up) < 0)
		return -1;
	*moved = true;
	return 0;
}

static int empty_dir(int fd, int top_fd, dev_t dev, int depth, bool *moved)
{
	DIR *dir = fs_fdopendir(fd);
	const struct dirent *d;
	int r = 0, more = 0;

	if (!dir)
		return -1;
	while (r == 0 && (more = fs_readdir(dir, &d)) == 1)
		r = fs_remove_entry(fd, d, top_fd, dev, depth, moved);
	if (more < 0)
		r = -1;
	int saved = errno;
	closedir(dir);
	errno = saved;
	return r;
}

static int remove_top(int dir_fd, const char *name)
{
	struct stat st;
	bool moved = true;
	auto_fd int top = open_child(dir_fd, name, 0);

	if (top < 0 && errno == EACCES && make_readable(dir_fd, name) == 0)
		top = open_child(dir_fd, name, 0);
	if (top < 0 || fstat(top, &st) < 0)
		return -1;
	/* Each round removes DEPTH_MAX levels of every branch. */
	while (moved) {
		moved = false;
		int again = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (again < 0 || empty_dir(again, top, st.st_dev, 0, &moved) < 0)
			return -1;
	}
	return unlinkat(dir_fd, name, AT_REMOVEDIR);
}

int fs_remove_tree(int dir_fd, const char *name)
{
	struct stat st;
	int r;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	r = S_ISDIR(st.st_mode) ? remove_top(dir_fd, name) : unlinkat(dir_fd, name, 0);
	return r < 0 && errno == ENOENT ? 0 : r;
}

/* `size` is what a regular file is said to have, 0 when that is not known (pipes, procfs). */
static int fs_read_all(
	int fd, bool regular, size_t size, const char *what, struct buf *b, struct err **err)
{
	size_t chunk = size ? size : COPY_CHUNK;
	auto_free char *p = mem_grow(NULL, chunk, 1);

	for (;;) {
		ssize_t n = regular ? pread(fd, p, chunk, (off_t)b->len) : read(fd, p, chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "%s", what);
		if (n == 0)
			return 0;
		if (buf_add(b, p, (size_t)n) < 0)
			return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", what, b->max);
		if (b->len == size)
			return 0;
	}
}

int fs_read_fd(int fd, size_t max, const char *what, struct buf *out, struct err **err)
{
	struct stat st;
	auto_buf struct buf b = {0};

	buf_init(&b, max);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "%s", what);
	bool regular = S_ISREG(st.st_mode);
	if (regular && st.st_size > 0 && (uint64_t)st.st_size > max)
		return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", what, max);
	if (fs_read_all(fd, regular, regular ? (size_t)st.st_size : 0, what, &b, err) < 0)
		return -1;
	buf_clear(out);
	*out = b;
	b = (struct buf){0};
	return 0;
}

int fs_read_file(int dir_fd, const char *path, size_t max, struct buf *out, struct err **err)
{
	struct stat st;
	auto_free char *name = fs_printable(path);

	if (strcmp(path, "-") == 0)
		return fs_read_fd(STDIN_FILENO, max, "standard input", out, err);
	auto_fd int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", name);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return err_set(err, ERR_CONTEXT, "%s: %s", name,
			S_ISDIR(st.st_mode) ? "is a directory" : "not a regular file");
	if (fs_read_fd(fd, max, name, out, err) < 0)
		return err && *err && err_get_kind(*err) == ERR_SYS ? err_rekind(err, ERR_CONTEXT)
								    : -1;
	return 0;
}

int fs_write_all(int fd, const void *p, size_t n)
{
	const char *c = p;

	while (n) {
		ssize_t w = write(fd, c, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		c += w;
		n -= (size_t)w;
	}
	return 0;
}

ssize_t fs_pread_upto(int fd, void *p, size_t n, uint64_t off)
{
	char *c = p;
	size_t done = 0;

	while (done < n) {
		ssize_t r = pread(fd, c + done, n - done, (off_t)(off + done));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int fs_pread_all(int fd, void *p, size_t n, uint64_t off)
{
	ssize_t r = fs_pread_upto(fd, p, n, off);

	if (r >= 0 && (size_t)r < n)
		errno = EIO;
	return r >= 0 && (size_t)r == n ? 0 : -1;
}

static int copy_by_hand(int in_fd, uint64_t off, uint64_t n, int out_fd)
{
	auto_free char *chunk = mem_alloc(COPY_CHUNK);

	while (n) {
		size_t part = n < COPY_CHUNK ? (size_t)n : COPY_CHUNK;
		if (fs_pread_all(in_fd, chunk, part, off) < 0 ||
			fs_write_all(out_fd, chunk, part) < 0)
			return -1;
		off += part;
		n -= part;
	}
	return 0;
}

int fs_copy_range(int in_fd, uint64_t off, uint64_t n, int out_fd)
{
	off_t at = (off_t)off;

	while (n) {
		size_t part = n < (uint64_t)1 << 30 ? (size_t)n : (size_t)1 << 30;
		ssize_t c = copy_file_range(in_fd, &at, out_fd, NULL, part, 0);
		if (c < 0 && errno == EINTR)
			continue;
		if (c < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
			return -1;
		/* Other errors and an early 0: pipes, other file systems, O_APPEND, and files
		 * of procfs and sysfs, whose size is unknown (copy_file_range(2), BUGS). */
		if (c <= 0)
			return copy_by_hand(in_fd, (uint64_t)at, n, out_fd);
		n -= (uint64_t)c;
	}
	return 0;
}

static int write_temp(int dir_fd, const char *temp, const void *p, size_t n, mode_t mode, bool sync)
{
	auto_fd int fd =
		openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0 || fs_write_all(fd, p, n) < 0)
		return -1;
	if (sync && fsync(fd) < 0)
		return -1;
	/* Late write errors of network file systems show up here. */
	return close(TAKE_FD(fd));
}

int fs_replace_file(int dir_fd, const char *name, const void *p, size_t n, mode_t mode, bool sync,
	struct err **err)
{
	char temp[FS_TEMP_NAME];
	const char *slash = strrchr(name, '/');
	auto_fd int dir = -1;
	auto_free char *shown = fs_printable(name);

	if (slash) { /* the temp file belongs beside the name */
		auto_free char *parent = mem_strndup(name, (size_t)(slash - name) + 1);
		dir = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		dir = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (dir < 0)
		return err_sys(err, "%s", shown);
	fs_temp_name(temp, sizeof temp, ".bld-tmp");
	if (write_temp(dir, temp, p, n, mode, sync) < 0 ||
		renameat(dir, temp, dir, slash ? slash + 1 : name) < 0) {
		err_sys(err, "%s", shown);
		unlinkat(dir, temp, 0);
		return -1;
	}
	if (sync && fsync(dir) < 0)
		return err_sys(err, "%s", shown);
	return 0;
}

void fs_temp_name(char *out, size_t size, const char *prefix)
{
	uint64_t r = 0;

	/* Cannot fail once the kernel's generator is ready; names are created with O_EXCL. */
	while (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r) {
	}
	snprintf(out, size, "%s.%d.%016llx", prefix, (int)getpid(), (unsigned long long)r);
}

int fs_spool(int dir_fd)
{
	char name[FS_TEMP_NAME];
	int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* NFS and older overlayfs know no files without a name. */
	fs_temp_name(name, sizeof name, "spool");
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(dir_fd, name, 0);
	return fd;
}

char *fs_printable(const char *name)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	buf_add_escaped(&b, name, strlen(name), false);
	return buf_take(&b);
}
