// SPDX-License-Identifier: Apache-2.0
/*
 * Control groups: find the hierarchies, make the group of a build, sweep away what was left, join.
 *
 * A process that moves itself by writing "0" to "tasks" of version 1 needs no lock of the kernel;
 * being moved by another, or by cgroup.procs, waits some milliseconds for every CPU. Version 2 has
 * clone3() into a group instead. So the forker joins by itself, once for a build.
 */
#include "builder/sandbox/cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/sandbox/devrules.h"
#include "builder/sandbox/kernel.h"
#include "builder/sandbox/spec.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define CGROUP_TEXT_MAX ((size_t)64 << 10) /* of /proc/self/cgroup */
#define TRIES           4                  /* another bld may sweep away what has no lock yet */
#define PREFIX          "bld."
#define INNER           "run" /* v2: in it are the commands with a list of devices */

static const char *const controllers[CGROUP_PARTS] = {"devices", "pids"};

/* --- where ----------------------------------------------------------------------------------- */

/* A line of /proc/self/cgroup, "5:devices,x:/path"; of version 2 "0::/path". */
struct line {
	char *controllers, *path;
};

static bool cgroups_parse_line(char *text, struct line *out)
{
	char *first = strchr(text, ':'), *second = first ? strchr(first + 1, ':') : NULL;

	if (!second || second[1] != '/')
		return false;
	*second = '\0';
	*out = (struct line){first + 1, second + 1};
	return true;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (strcspn(p, ",") == n && memcmp(p, word, n) == 0)
			return true;
	return false;
}

/* The hierarchy of version 1 with the controller, or that of version 2; text is cut up. */
static bool cgroups_find_line(char *text, const char *controller, bool unified, struct line *out)
{
	for (char *next, *p = text; p && *p; p = next) {
		next = strchr(p, '\n');
		if (next)
			*next++ = '\0';
		if (cgroups_parse_line(p, out) &&
			(unified ? !*out->controllers : has_word(out->controllers, controller)))
			return true;
	}
	return false;
}

static int set_controllers(int fs, char *list)
{
	for (char *next, *p = list; p && *p; p = next) {
		int r;

		next = strchr(p, ',');
		if (next)
			*next++ = '\0';
		if (strncmp(p, "name=", 5) == 0)
			r = fsconfig(fs, FSCONFIG_SET_STRING, "name", p + 5, 0);
		else
			r = fsconfig(fs, FSCONFIG_SET_FLAG, p, NULL, 0);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* A detached mount of a hierarchy that is there; -1. */
static int mount_hierarchy(const struct line *l, bool unified)
{
	auto_fd int fs = fsopen(unified ? "cgroup2" : "cgroup", FSOPEN_CLOEXEC);
	const unsigned attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	if (fs < 0 || (!unified && set_controllers(fs, l->controllers) < 0) ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, attr);
}

static int cgroups_give_up(struct cgroup_part_state *s, const char *why)
{
	s->why = why;
	return -1;
}

static const char *word_error(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return "control groups are refused here";
	case EROFS:
		return "control groups are read-only here";
	case EOPNOTSUPP:
		return "the control group that bld runs in hands no such controller down";
	default:
		return "the kernel makes no such control group";
	}
}

/* The same with the reason that errno is. */
static int give_up_errno(struct cgroup_part_state *s)
{
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO ||
		errno == ENOSPC)
		s->failed = errno;
	return cgroups_give_up(s, word_error(errno));
}

/* The group that bld runs in. */
static int open_parent(struct cgroup_part_state *s, enum cgroup_part part, const char *text)
{
	auto_free char *copy = mem_strdup(text);
	struct line l;

	if (!cgroups_find_line(copy, controllers[part], s->unified, &l))
		return cgroups_give_up(s, "there is no such control group here");
	auto_fd int root = mount_hierarchy(&l, s->unified);
	if (root < 0)
		return give_up_errno(s);
	l.path += strspn(l.path, "/");
	s->parent = kernel_open(root, *l.path ? l.path : ".", O_RDONLY | O_DIRECTORY,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (s->parent >= 0)
		return 0;
	give_up_errno(s);
	return cgroups_give_up(s, "the control group of bld is not to be seen here");
}

/* --- the group of a build -------------------------------------------------------------------- */

static bool is_ours(const char *name)
{
	size_t n = strlen(PREFIX);

	return strncmp(name, PREFIX, n) == 0 && strlen(name) == n + 16 &&
	       strspn(name + n, "0123456789abcdef") == 16;
}

static void remove_group(int parent, int dir, const char *name)
{
	(void)unlinkat(dir, INNER, AT_REMOVEDIR);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

/* With processes in it the kernel keeps it: those of another bld that is just dying. */
static void cgroups_sweep_one(int parent, const char *name)
{
	auto_fd int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0)
		remove_group(parent, dir, name);
}

static void cgroups_sweep(int parent)
{
	DIR *d = fs_opendir(parent, ".");
	const struct dirent *e;

	if (!d)
		return;
	while (fs_readdir(d, &e) == 1)
		if (is_ours(e->d_name))
			cgroups_sweep_one(parent, e->d_name);
	closedir(d);
}

/* Locked, or -1. */
static int make_group(struct cgroup_part_state *s)
{
	uint64_t number;
	int dir;

	if (getrandom(&number, sizeof number, 0) != sizeof number)
		return -1;
	snprintf(s->name, sizeof s->name, PREFIX "%016jx", (uintmax_t)number);
	if (mkdirat(s->parent, s->name, 0755) < 0)
		return -1;
	dir = openat(s->parent, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0)
		return dir;
	fd_close(dir);
	errno = ENOENT;
	return -1;
}

static int cgroups_write_file(int dir, const char *name, const char *text)
{
	auto_fd int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

static int set_pids(const struct cgroup_part_state *s, struct cgroups *g)
{
	char number[16];

	snprintf(number, sizeof number, "%d", SANDBOX_PIDS_MAX);
	if (cgroups_write_file(s->dir, "pids.max", number) < 0) {
		if (errno == ENOENT && s->unified)
			errno = EOPNOTSUPP; /* nobody swept it away */
		return -1;
	}
	g->events = openat(s->dir, "pids.events", O_RDONLY | O_CLOEXEC);
	return 0;
}

static int set_devices(const struct cgroup_part_state *s, struct cgroups *g)
{
	auto_fd int inner = -1;

	if (!s->unified) {
		g->leave = openat(s->parent, "tasks", O_WRONLY | O_CLOEXEC);
		return g->leave < 0 ? -1 : devrules_set_v1(s->dir);
	}
	/* A program stays with its group: those who are free of it are one above. */
	if (mkdirat(s->dir, INNER, 0755) < 0)
		return -1;
	inner = openat(s->dir, INNER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (inner < 0 || devrules_set_v2(inner) < 0)
		return -1;
	g->leave = openat(s->dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	g->into = g->leave < 0 ? -1 : TAKE_FD(inner);
	return g->leave < 0 ? -1 : 0;
}

static void close_fd(int *fd)
{
	fd_close(*fd);
	*fd = -1;
}

static void drop_group(struct cgroup_part_state *s)
{
	int saved = errno;

	close_fd(&s->join);
	if (s->dir >= 0)
		remove_group(s->parent, s->dir, s->name);
	close_fd(&s->dir);
	errno = saved;
}

/* What the group is for; its files are gone with it. */
static void drop_part(struct cgroups *g, enum cgroup_part part)
{
	drop_group(&g->part[part]);
	if (part == CGROUP_PIDS) {
		close_fd(&g->events);
		return;
	}
	close_fd(&g->into);
	close_fd(&g->leave);
}

static int try_part(struct cgroups *g, enum cgroup_part part)
{
	struct cgroup_part_state *s = &g->part[part];
	int r;

	s->dir = make_group(s);
	if (s->dir < 0)
		return -1;
	r = part == CGROUP_PIDS ? set_pids(s, g) : set_devices(s, g);
	if (r == 0 && !s->unified) {
		s->join = openat(s->dir, "tasks", O_WRONLY | O_CLOEXEC);
		r = s->join < 0 ? -1 : 0;
	}
	if (r == 0 && s->unified && part == CGROUP_PIDS && g->into < 0) {
		g->into = fcntl(s->dir, F_DUPFD_CLOEXEC, 3);
		r = g->into < 0 ? -1 : 0;
	}
	if (r < 0)
		drop_part(g, part);
	return r;
}

static bool is_swept(int error)
{
	return error == ENOENT || error == ENODEV;
}

static int open_part(struct cgroups *g, enum cgroup_part part, bool unified, const char *text)
{
	struct cgroup_part_state *s = &g->part[part];
	int r = -1;

	s->unified = unified;
	if (open_parent(s, part, text) < 0)
		return -1;
	cgroups_sweep(s->parent);
	for (int i = 0; r < 0 && i < TRIES; i++) {
		r = try_part(g, part);
		if (r < 0 && !is_swept(errno))
			break;
	}
	if (r == 0)
		return 0;
	give_up_errno(s);
	close_fd(&s->parent);
	return -1;
}

/* Of both parts. */
static int read_own(struct cgroups *g, struct buf *b)
{
	auto_err struct err *why = NULL;

	buf_init(b, CGROUP_TEXT_MAX);
	if (fs_read_file(AT_FDCWD, "/proc/self/cgroup", CGROUP_TEXT_MAX, b, &why) == 0)
		return 0;
	errno = err_errno(why);
	for (int i = 0; i < CGROUP_PARTS; i++) {
		give_up_errno(&g->part[i]);
		cgroups_give_up(&g->part[i], "/proc/self/cgroup cannot be read");
	}
	return -1;
}

/*
 * Version 2 has one tree: there the limit of processes is set in the group whose inner one has the
 * list of devices. It is to be had only where the group above hands the controller down.
 */
static int open_pids_v2(struct cgroups *g, const char *text)
{
	const struct cgroup_part_state *devices = &g->part[CGROUP_DEVICES];
	struct cgroup_part_state *pids = &g->part[CGROUP_PIDS];

	if (devices->dir < 0 || !devices->unified)
		return open_part(g, CGROUP_PIDS, true, text);
	pids->unified = true;
	return set_pids(devices, g) < 0 ? give_up_errno(pids) : 0;
}

void cgroups_init(struct cgroups *g)
{
	*g = (struct cgroups){.into = -1, .leave = -1, .events = -1};
	for (int i = 0; i < CGROUP_PARTS; i++)
		g->part[i] = (struct cgroup_part_state){.parent = -1, .dir = -1, .join = -1};
}

/* In one hierarchy, or else in the other. */
static int open_either(struct cgroups *g, enum cgroup_part part, const char *text, struct err **err)
{
	int r = open_part(g, part, false, text);

	if (r < 0)
		r = part == CGROUP_PIDS ? open_pids_v2(g, text) : open_part(g, part, true, text);
	if (r == 0 || !g->part[part].failed)
		return 0;
	errno = g->part[part].failed;
	return err_sys_kind(err, ERR_SANDBOX, "make a control group for the build");
}

int cgroups_open(struct cgroups *g, struct err **err)
{
	auto_buf struct buf text;

	cgroups_init(g);
	if (read_own(g, &text) < 0) {
		errno = g->part[CGROUP_DEVICES].failed;
		return errno ? err_sys_kind(err, ERR_SANDBOX, "/proc/self/cgroup") : 0;
	}
	if (open_either(g, CGROUP_DEVICES, text.data, err) == 0 &&
		open_either(g, CGROUP_PIDS, text.data, err) == 0)
		return 0;
	cgroups_close(g);
	return -1;
}

void cgroups_close(struct cgroups *g)
{
	for (int i = 0; i < CGROUP_PARTS; i++) {
		drop_part(g, (enum cgroup_part)i);
		close_fd(&g->part[i].parent);
	}
}

/* --- in it ----------------------------------------------------------------------------------- */

static bool cgroups_is_shared(const struct cgroups *g)
{
	return g->part[CGROUP_PIDS].dir < 0 && g->events >= 0;
}

void cgroups_join(const struct cgroups *g, int into, struct cgroups_joined *out)
{
	for (int i = 0; i < CGROUP_PARTS; i++) {
		const struct cgroup_part_state *s = &g->part[i];
		ssize_t n = 1;

		out->error[i] = s->unified ? into : 0;
		if (s->dir >= 0 && !s->unified)
			n = write(s->join, "0", 1);
		if (n != 1)
			out->error[i] = n < 0 ? errno : EIO;
	}
}

/* Not ours to write, no process to be added (version 2: a threaded or an inner group), a scheduling
 * class that the group has no time for, and a kernel that knows no clone3() into a group. */
bool cgroups_refused(int error)
{
	return error == EPERM || error == EACCES || error == EROFS || error == EBUSY ||
	       error == EOPNOTSUPP || error == EINVAL || error == ENOSYS || error == E2BIG;
}

static void leave_part(struct cgroups *g, enum cgroup_part part)
{
	bool shared = cgroups_is_shared(g);

	drop_part(g, part);
	cgroups_give_up(&g->part[part], "a process could not be moved into it");
	if (shared && part == CGROUP_DEVICES) {
		drop_part(g, CGROUP_PIDS);
		cgroups_give_up(&g->part[CGROUP_PIDS], "a process could not be moved into it");
	}
}

int cgroups_settle(struct cgroups *g, const struct cgroups_joined *joined)
{
	int failed = 0;

	for (int i = 0; i < CGROUP_PARTS; i++) {
		struct cgroup_part_state *s = &g->part[i];

		close_fd(&s->join);
		if (s->dir < 0 || !joined->error[i])
			continue;
		if (!cgroups_refused(joined->error[i]))
			failed = s->failed = joined->error[i];
		leave_part(g, (enum cgroup_part)i);
	}
	close_fd(&g->into);
	return failed;
}

uint64_t cgroups_pids_refused(const struct cgroups *g)
{
	char text[64];
	ssize_t n = g->events < 0 ? -1 : pread(g->events, text, sizeof text - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strncmp(text, "max ", 4) == 0 ? strtoull(text + 4, NULL, 10) : 0;
}

char *cgroups_describe(const struct cgroups *g, enum cgroup_part part)
{
	const struct cgroup_part_state *s = &g->part[part];

	if (s->dir < 0 && !(part == CGROUP_PIDS && cgroups_is_shared(g)))
		return mem_printf("no (%s)", s->why ? s->why : "it is not to be had");
	return mem_printf("yes (control group, version %d)", s->unified ? 2 : 1);
}
