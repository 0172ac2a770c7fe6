// SPDX-License-Identifier: Apache-2.0
/*
 * The walk to a mount target. It takes one component at a time with O_NOFOLLOW and expands
 * symbolic links itself, because a link to nothing (/etc/resolv.conf of many images) has to be
 * made where it points. Links on procfs are magic, so a path through one is refused. ".." at the
 * root stays there: by then the root of the sandbox is the root of the process.
 */
#include "builder/sandbox/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/base/cleanup.h"

struct walk {
	struct ops_state *st;
	const struct target *t;
	int dir; /* where we are, O_PATH */
	int links;
	char name[NAME_MAX + 1];
	char rest[PATH_MAX]; /* still to go */
	char link[PATH_MAX];
};

size_t target_stubs(const char *path)
{
	size_t n = 8; /* for components that a symbolic link brings in */

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static int target_fail(int error)
{
	errno = error;
	return -1;
}

/* Cut the next component off w->rest. 1 = there is one, 0 = the path is at its end. */
static int target_next_name(struct walk *w)
{
	size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");

	if (len > NAME_MAX)
		return target_fail(ENAMETOOLONG);
	memcpy(w->name, w->rest + skip, len);
	w->name[len] = '\0';
	memmove(w->rest, w->rest + skip + len, strlen(w->rest + skip + len) + 1);
	return len > 0;
}

static bool is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

/* Put the content of the link fd in front of what is left. */
static int target_expand(struct walk *w, int fd)
{
	struct statfs sfs;
	ssize_t n;
	size_t rest = strlen(w->rest);

	if (w->t->no_links || ++w->links > TARGET_LINKS_MAX)
		return target_fail(ELOOP);
	if (fstatfs(fd, &sfs) < 0)
		return -1;
	if (sfs.f_type == PROC_SUPER_MAGIC)
		return target_fail(ELOOP);
	n = readlinkat(fd, "", w->link, sizeof w->link);
	if (n < 0)
		return -1;
	if (n == 0 || (size_t)n + 1 + rest + 1 > sizeof w->rest)
		return target_fail(ENAMETOOLONG);
	memmove(w->rest + n + 1, w->rest, rest + 1);
	memcpy(w->rest, w->link, (size_t)n);
	w->rest[n] = '/';
	if (w->link[0] == '/') {
		int root = openat(w->st->slot[OPS_ROOT], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (root < 0)
			return -1;
		close(w->dir);
		w->dir = root;
	}
	return 0;
}

static int remember_stub(struct walk *w, int fd, bool dir)
{
	struct ops_state *st = w->st;
	struct ops_stub *s;
	struct stat sb;

	if (st->nstub == st->max_stub)
		return target_fail(ENOBUFS);
	s = &st->stub[st->nstub];
	if (fstat(fd, &sb) < 0)
		return -1;
	s->parent = fcntl(w->dir, F_DUPFD_CLOEXEC, 0);
	if (s->parent < 0)
		return -1;
	s->dev = sb.st_dev;
	s->ino = sb.st_ino;
	s->dir = dir;
	memcpy(s->name, w->name, sizeof w->name);
	st->nstub++;
	return 0;
}

static int target_set_times(int dir, const struct stat *sb)
{
	const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, sb->st_mtim};

	return utimensat(dir, "", t, AT_EMPTY_PATH);
}

/* Make w->name in w->dir; an O_PATH descriptor of it. */
static int target_make(struct walk *w)
{
	bool dir = !is_last(w) || w->t->kind == TARGET_DIR;
	struct stat parent;
	auto_fd int fd = -1;

	if (w->t->kind == TARGET_ANY)
		return target_fail(ENOENT);
	if (fstat(w->dir, &parent) < 0)
		return -1;
	if (dir) {
		if (mkdirat(w->dir, w->name, 0755) < 0)
			return -1;
	} else {
		fd = openat(w->dir, w->name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0)
			return -1;
		close(fd);
	}
	fd = openat(w->dir, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (w->t->stub && (remember_stub(w, fd, dir) < 0 || target_set_times(w->dir, &parent) < 0))
		return -1;
	return TAKE_FD(fd);
}

/* One component: 1 = fd is the target, 0 = go on, -1. */
static int target_step(struct walk *w, int *out)
{
	auto_fd int fd = openat(w->dir, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat sb;

	if (fd < 0 && errno == ENOENT) {
		fd = target_make(w);
		if (fd < 0 && errno == EEXIST) /* another RUN made it, in a cache that they share */
			fd = openat(w->dir, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &sb) < 0)
		return -1;
	if (S_ISLNK(sb.st_mode))
		return target_expand(w, fd);
	if (S_ISDIR(sb.st_mode)) {
		close(w->dir);
		w->dir = TAKE_FD(fd);
		return 0;
	}
	if (!is_last(w))
		return target_fail(ENOTDIR);
	if (w->t->kind == TARGET_DIR)
		return target_fail(ENOTDIR);
	*out = TAKE_FD(fd);
	return 1;
}

int target_open(struct ops_state *st, const struct target *t)
{
	struct walk w = {.st = st, .t = t};
	int fd = -1, r = 0, saved;
	size_t len = strlen(t->path);

	if (len >= sizeof w.rest)
		return target_fail(ENAMETOOLONG);
	memcpy(w.rest, t->path, len + 1);
	w.dir = openat(st->slot[OPS_ROOT], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w.dir < 0)
		return -1;
	while (r == 0) {
		int more = target_next_name(&w);

		if (more <= 0) {
			r = more < 0 ? -1 : 1;
			break;
		}
		if (strcmp(w.name, ".") != 0)
			r = target_step(&w, &fd);
	}
	saved = errno;
	if (r == 1 && fd < 0) { /* the path ended at a directory */
		if (t->kind != TARGET_FILE)
			return w.dir;
		saved = EISDIR;
	}
	close(w.dir);
	errno = saved;
	return fd;
}

static int remove_stub(const struct ops_stub *s)
{
	struct stat parent, sb;

	if (fstat(s->parent, &parent) < 0)
		return -1;
	if (fstatat(s->parent, s->name, &sb, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (sb.st_dev != s->dev || sb.st_ino != s->ino || S_ISDIR(sb.st_mode) != s->dir)
		return 0;
	if (!s->dir && (!S_ISREG(sb.st_mode) || sb.st_size != 0))
		return 0;
	/* A directory that the command filled stays: ENOTEMPTY. */
	if (unlinkat(s->parent, s->name, s->dir ? AT_REMOVEDIR : 0) < 0)
		return errno == ENOTEMPTY || errno == ENOENT ? 0 : -1;
	return target_set_times(s->parent, &parent);
}

int target_remove_stubs(struct ops_state *st, char failed[NAME_MAX + 1])
{
	int error = 0;

	while (st->nstub > 0) {
		const struct ops_stub *s = &st->stub[--st->nstub];

		if (remove_stub(s) < 0 && !error) {
			error = errno;
			memcpy(failed, s->name, sizeof s->name);
		}
		close(s->parent);
	}
	return error ? target_fail(error) : 0;
}
