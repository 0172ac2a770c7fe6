// SPDX-License-Identifier: Apache-2.0
/*
 * The directories on the way are kept as a stack of O_PATH descriptors, so that ".." goes back
 * to where the walk came from, never to what the kernel thinks the parent is now. A symlink's
 * text is put in front of the path that is left.
 */
#include "store/base/fswalk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/mem.h"

#define LINKS_MAX 40   /* as the kernel's MAXSYMLINKS */
#define TEXT_MAX  4096 /* path_resolution(7): longer is ENAMETOOLONG */

struct walk {
	int root_fd; /* borrowed */
	enum fs_resolve how;
	int *dirs; /* owned descriptors below the root, deepest last */
	size_t ndirs, cap;
	char *rest; /* owned: what is left to resolve */
	int links;
};

static void walk_clear(struct walk *w)
{
	int saved = errno;

	while (w->ndirs)
		close(w->dirs[--w->ndirs]);
	free(w->dirs);
	free(w->rest);
	errno = saved;
}

static int current(const struct walk *w)
{
	return w->ndirs ? w->dirs[w->ndirs - 1] : w->root_fd;
}

static int fswalk_fail(int code)
{
	errno = code;
	return -1;
}

/* Back to the root, for an absolute path or link. */
static int go_root(struct walk *w)
{
	if (w->how != FS_IN_ROOT)
		return fswalk_fail(EXDEV);
	while (w->ndirs)
		close(w->dirs[--w->ndirs]);
	return 0;
}

static int fswalk_go_up(struct walk *w)
{
	if (w->ndirs)
		close(w->dirs[--w->ndirs]);
	else if (w->how != FS_IN_ROOT)
		return fswalk_fail(EXDEV);
	return 0;
}

static int fswalk_go_down(struct walk *w, const char *name)
{
	int fd = openat(current(w), name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	MEM_PUSH(w->dirs, w->ndirs, w->cap) = fd;
	return 0;
}

/* Put the link's text in front of the rest: 1 done, 0 not a link, -1 error. */
static int fswalk_follow(struct walk *w, const char *name, const char *rest)
{
	char text[TEXT_MAX];
	ssize_t n = readlinkat(current(w), name, text, sizeof text - 1);

	if (n < 0)
		return errno == EINVAL ? 0 : -1;
	if (w->how == FS_NOLINKS || ++w->links > LINKS_MAX)
		return fswalk_fail(ELOOP);
	if (n == 0)
		return fswalk_fail(ENOENT);
	text[n] = '\0';
	if ((size_t)n + strlen(rest) + 2 > TEXT_MAX)
		return fswalk_fail(ENAMETOOLONG);
	char *whole = mem_printf("%s%s%s", text, *rest ? "/" : "", rest);
	free(w->rest);
	w->rest = whole;
	return text[0] == '/' && go_root(w) < 0 ? -1 : 1;
}

/* "", "." or "..": the path ends in a directory that is reached already. */
static bool is_here(const char *name)
{
	return !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int open_here(struct walk *w, const char *name, int flags, mode_t mode)
{
	if (strcmp(name, "..") == 0 && fswalk_go_up(w) < 0)
		return -1;
	return flags & O_CREAT ? fswalk_fail(EISDIR) : openat(current(w), ".", flags, mode);
}

/* The name that ends the path. dir: a slash follows it, so it must be a directory. */
static int open_last(
	struct walk *w, const char *name, bool dir, int flags, mode_t mode, bool *again)
{
	bool create = flags & O_CREAT;
	/* O_CREAT | O_EXCL never follows: a link there is EEXIST. */
	bool links = !(create && flags & O_EXCL) && (dir || !(flags & O_NOFOLLOW));

	*again = false;
	if (is_here(name))
		return open_here(w, name, flags, mode);
	if (dir && create)
		return fswalk_fail(EISDIR);
	if (links) {
		int r = fswalk_follow(w, name, dir ? "/" : "");
		*again = r == 1;
		if (r == 1 || (r < 0 && !(errno == ENOENT && create)))
			return -1;
	}
	return openat(current(w), name, flags | O_NOFOLLOW | (dir ? O_DIRECTORY : 0), mode);
}

/* Cut the first component off `rest` into name (NUL-terminated); returns what is behind it. */
static const char *fswalk_split(const char *rest, char *name, bool *slash)
{
	size_t n = strcspn(rest, "/");

	*slash = rest[n] == '/';
	if (n > NAME_MAX)
		return NULL;
	memcpy(name, rest, n);
	name[n] = '\0';
	return rest + n + strspn(rest + n, "/");
}

/* One component: fd when it was the last, -1 with *again for another round, or -1 errno. */
static int fswalk_step(struct walk *w, int flags, mode_t mode, bool *again)
{
	char name[NAME_MAX + 1];
	bool slash;
	const char *after = fswalk_split(w->rest, name, &slash);

	*again = false;
	if (!after)
		return fswalk_fail(ENAMETOOLONG);
	if (!*after)
		return open_last(w, name, slash, flags, mode, again);
	if (strcmp(name, "..") == 0) {
		if (fswalk_go_up(w) < 0)
			return -1;
	} else if (*name && strcmp(name, ".") != 0) {
		int r = fswalk_follow(w, name, after);
		if (r < 0)
			return -1;
		*again = true;
		if (r == 1)
			return -1;
		if (fswalk_go_down(w, name) < 0) {
			*again = false;
			return -1;
		}
	}
	*again = true;
	memmove(w->rest, after, strlen(after) + 1);
	return -1;
}

int fswalk_open(int root_fd, const char *path, int flags, mode_t mode, enum fs_resolve how)
{
	struct walk w = {.root_fd = root_fd, .how = how};
	bool again = true;
	int fd = -1;

	if (!*path)
		return fswalk_fail(ENOENT);
	if (strlen(path) >= TEXT_MAX)
		return fswalk_fail(ENAMETOOLONG);
	if (*path == '/' && how != FS_IN_ROOT)
		return fswalk_fail(EXDEV);
	w.rest = mem_strdup(path + strspn(path, "/"));
	flags |= O_CLOEXEC;
	while (again)
		fd = fswalk_step(&w, flags, mode, &again);
	walk_clear(&w);
	return fd;
}
