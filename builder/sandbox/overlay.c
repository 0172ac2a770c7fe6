// SPDX-License-Identifier: Apache-2.0
/*
 * Overlay mounts in the child. Directories are named by their descriptor number, relative to our
 * own /proc/self/fd: no escaping of ':' and ',', no path of the host in /proc/mounts of the
 * sandbox, and 500 of them fit into the one page that mount(2) takes.
 */
#include "builder/sandbox/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/namespace.h"
#include "store/base/mem.h"

#define OPTIONS_MAX 4096 /* the page of mount(2) */

struct overlay_arg {
	int upper, work;
	int stage;     /* CLASSIC: where it is mounted, a directory of its own */
	char *options; /* CLASSIC: room for them */
	size_t n;
	bool xino; /* see xino_option */
	bool devices;
	int lower[]; /* slots, top first */
};

static const char volatile_option[] = ",volatile"; /* the last one */

static const struct kernel_fs_opt fixed_options[] = {
	{.key = "redirect_dir", .value = "nofollow"},
	{.key = "metacopy", .value = "off"},
	{.key = "index", .value = "off"},
};

/*
 * An index is a file system of its own, and the kernel has two ways to number the files of an
 * overlay of several. xino=on puts the layer into the highest bits: one st_dev, but numbers above
 * 2^62, which a program that holds them in a double cannot tell apart (Node takes 5,034 of 5,045
 * files for one) and one of 32 bits cannot hold (EOVERFLOW from stat and readdir). xino=off gives
 * the numbers of the layers themselves, small ones, with an st_dev for each layer; directories have
 * that of the overlay. (st_dev, st_ino) is unique and stays over a copy-up (erofsform.c gives
 * indexes the UUID this needs); tar --one-file-system, cp -x, find -xdev and rsync -x look at the
 * st_dev of directories and miss nothing. What is not to be had: du -x counts no file, and a
 * directory that nobody uses gets another number when the kernel drops it from its cache. xino=auto
 * would be one or the other, by the kernel's version. (With directories only there is one file
 * system, all numbers are its own, and the kernel needs no option.)
 */
static const struct kernel_fs_opt xino_option = {.key = "xino", .value = "off"};

static int set_option(int fs, const struct kernel_fs_opt *o)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, o->key, o->value, 0);
}

static int set_dir(int fs, const char *key, int fd)
{
	char number[16];

	return fsconfig(fs, FSCONFIG_SET_STRING, key, kernel_number(fd, number), 0);
}

static int overlay_configure(struct ops_state *st, int fs, const struct overlay_arg *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (set_dir(fs, "lowerdir+", st->slot[a->lower[i]]) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(fixed_options); i++)
		if (set_option(fs, &fixed_options[i]) < 0)
			return -1;
	if (a->xino && set_option(fs, &xino_option) < 0)
		return -1;
	if (a->upper < 0)
		return 0;
	if (set_dir(fs, "upperdir", st->slot[a->upper]) < 0 ||
		set_dir(fs, "workdir", st->slot[a->work]) < 0)
		return -1;
	/* Where it is unknown the end of the sandbox is only slower: the kernel syncs. */
	(void)fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
	return 0;
}

static int mount_plus(struct ops_state *st, const struct op *op)
{
	const struct overlay_arg *a = op->arg;
	int fs = fsopen("overlay", FSOPEN_CLOEXEC), saved;

	if (fs < 0 || kernel_enter_fds(st) < 0)
		return -1;
	if (overlay_configure(st, fs, a) < 0) {
		saved = errno;
		if (read(fs, st->detail, sizeof st->detail - 1) < 0)
			st->detail[0] = '\0';
	} else {
		st->slot[op->out] = kernel_fs_create(
			st, fs, MOUNT_ATTR_NOATIME | (a->devices ? 0 : MOUNT_ATTR_NODEV));
		saved = errno;
	}
	close(fs);
	errno = saved;
	return st->slot[op->out] < 0 ? -1 : 0;
}

static char *overlay_append(char *to, const char *s)
{
	size_t n = strlen(s);

	memcpy(to, s, n + 1);
	return to + n;
}

static char *append_option(char *to, const struct kernel_fs_opt *o)
{
	return overlay_append(
		overlay_append(overlay_append(overlay_append(to, o->key), "="), o->value), ",");
}

/* overlay_plan() saw to it that the options fit. */
static void classic_options(const struct ops_state *st, const struct overlay_arg *a)
{
	char number[16], *p = a->options;

	for (size_t i = 0; i < ARRAY_LEN(fixed_options); i++)
		p = append_option(p, &fixed_options[i]);
	if (a->xino)
		p = append_option(p, &xino_option);
	p = overlay_append(p, "lowerdir=");
	for (size_t i = 0; i < a->n; i++) {
		p = overlay_append(p, i ? ":" : "");
		p = overlay_append(p, kernel_number(st->slot[a->lower[i]], number));
	}
	if (a->upper < 0)
		return;
	p = overlay_append(
		overlay_append(p, ",upperdir="), kernel_number(st->slot[a->upper], number));
	p = overlay_append(
		overlay_append(p, ",workdir="), kernel_number(st->slot[a->work], number));
	overlay_append(p, volatile_option);
}

/* The path of a descriptor as our own procfs tells it. */
static int overlay_path_of(struct ops_state *st, int fd, char path[PATH_MAX])
{
	char number[16];
	ssize_t n;

	if (kernel_enter_fds(st) < 0)
		return -1;
	n = readlinkat(AT_FDCWD, kernel_number(fd, number), path, PATH_MAX - 1);
	if (n < 0)
		return -1;
	path[n] = '\0';
	return 0;
}

/* Linux before 5.10 does not know "volatile". */
static int mount_options(const struct overlay_arg *a, const char *at)
{
	const unsigned long flags = MS_NOATIME | (a->devices ? 0 : MS_NODEV);

	if (mount("overlay", at, "overlay", flags, a->options) == 0)
		return 0;
	if (errno != EINVAL || a->upper < 0)
		return -1;
	a->options[strlen(a->options) - strlen(volatile_option)] = '\0';
	return mount("overlay", at, "overlay", flags, a->options);
}

static int mount_classic(struct ops_state *st, const struct op *op)
{
	const struct overlay_arg *a = op->arg;
	char number[16], path[PATH_MAX];

	classic_options(st, a);
	if (overlay_path_of(st, st->slot[a->stage], path) < 0 || kernel_enter_fds(st) < 0)
		return -1;
	if (mount_options(a, kernel_number(st->slot[a->stage], number)) < 0)
		return -1;
	/* The descriptor is the place below; its path is the new mount. */
	st->slot[op->out] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return st->slot[op->out] < 0 ? -1 : 0;
}

int overlay_make_scratch(int scratch_fd, struct err **err)
{
	if (mkdirat(scratch_fd, "upper", 0700) < 0 || mkdirat(scratch_fd, "work", 0700) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "make scratch directories");
	return 0;
}

/* Nobody but bld has access to the parent: what is there was made ahead. */
int overlay_scratch_dir(int parent, const char *name, mode_t mode, struct err **err)
{
	int fd;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return err_sys_kind(err, ERR_SANDBOX, "make the scratch directory %s", name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys_kind(err, ERR_SANDBOX, "open the scratch directory %s", name);
	if (fchmod(fd, mode) == 0)
		return fd;
	err_sys_kind(err, ERR_SANDBOX, "prepare the scratch directory %s", name);
	close(fd);
	return -1;
}

static int set_tried_dir(int fs, const char *key, int fd)
{
	auto_free char *path = mem_printf("/proc/self/fd/%d", fd);

	return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
}

static bool takes_upper(int upper, int work)
{
	auto_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC), lower = fsopen("tmpfs", FSOPEN_CLOEXEC);
	auto_fd int below = -1;

	/* Where the kernel cannot be asked this way nothing is known: RUN will tell. */
	if (fs < 0 || lower < 0 || fsconfig(lower, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return true;
	below = fsmount(lower, FSMOUNT_CLOEXEC, 0);
	if (below < 0 || set_tried_dir(fs, "lowerdir", below) < 0)
		return true;
	return set_tried_dir(fs, "upperdir", upper) == 0 &&
	       set_tried_dir(fs, "workdir", work) == 0 &&
	       fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0;
}

const char *overlay_scratch_refused(int dir_fd)
{
	struct statfs sfs;
	auto_fd int upper = overlay_scratch_dir(dir_fd, "upper", 0700, NULL);
	auto_fd int work = overlay_scratch_dir(dir_fd, "work", 0700, NULL);

	if (upper < 0 || work < 0 || takes_upper(upper, work))
		return NULL;
	if (fstatfs(dir_fd, &sfs) == 0 && sfs.f_type == OVERLAYFS_SUPER_MAGIC)
		return "the store lies on an overlay, and the kernel puts no overlay on another";
	return "the kernel puts no overlay on the file system of the store";
}

/* A mount is cloned only in its own namespace, so a directory that the caller opened is opened
 * again by its path in the new one, and compared. */
static int reopen(struct ops_state *st, const struct op *op)
{
	char path[PATH_MAX];
	struct stat want, got;
	int fd, old = st->slot[op->in];

	if (fstat(old, &want) < 0 || overlay_path_of(st, old, path) < 0)
		return -1;
	fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	if (fstat(fd, &got) < 0 || got.st_dev != want.st_dev || got.st_ino != want.st_ino) {
		close(fd);
		errno = ESTALE;
		return -1;
	}
	st->slot[op->in] = fd; /* old stays open: another slot may hold the same number */
	return 0;
}

static void plan_reopen(struct op_list *l, int slot)
{
	ops_add(l, &(struct op){
			   reopen, .what = "open a layer in the new mount namespace", .in = slot});
}

/* What only CLASSIC needs: room for the options, a directory to mount on, all in the new mount
 * namespace. */
static int plan_classic(
	struct op_list *l, const struct overlay *o, struct overlay_arg *a, struct err **err)
{
	char name[32];
	int stage;

	snprintf(name, sizeof name, "stage%d", o->out);
	stage = overlay_scratch_dir(l->slot[OPS_SCRATCH], name, 0700, err);
	if (stage < 0)
		return -1;
	a->options = ops_alloc(l, OPTIONS_MAX);
	a->stage = ops_slot_take_fd(l, stage);
	plan_reopen(l, a->stage);
	for (size_t i = 0; i < o->n; i++)
		if (!o->lower[i].mounted)
			plan_reopen(l, o->lower[i].slot);
	if (o->upper >= 0) {
		plan_reopen(l, o->upper);
		plan_reopen(l, o->work);
	}
	return 0;
}

int overlay_plan_lowers(struct op_list *l, struct erofsmounts *x, const struct sandbox_lowers *from,
	struct overlay_lower *to, struct err **err)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct lower *v = &from->v[i];
		bool attach = false;
		int fd;

		if (v->index_fd < 0) {
			to[i] = (struct overlay_lower){.slot = ops_slot_fd(l, v->dir_fd)};
			continue;
		}
		fd = erofsmounts_get(x, v, &attach, err);
		if (fd < 0)
			return -1;
		to[i] = (struct overlay_lower){ops_slot_take_fd(l, fd), .mounted = true};
		if (attach)
			namespace_plan_park(l, to[i].slot, "attach an EROFS image");
	}
	return (int)from->n;
}

int overlay_plan(struct op_list *l, const struct overlay *o, struct err **err)
{
	struct overlay_arg *a;

	if (o->n == 0 || o->n > SANDBOX_LOWERS_MAX)
		return err_set(err, ERR_LIMIT, "%s: %zu layers, the kernel takes 1 to %d", o->what,
			o->n, SANDBOX_LOWERS_MAX);
	a = ops_alloc(l, sizeof *a + o->n * sizeof a->lower[0]);
	a->upper = o->upper;
	a->work = o->work;
	a->devices = o->devices;
	a->n = o->n;
	for (size_t i = 0; i < o->n; i++) {
		a->lower[i] = o->lower[o->n - 1 - i].slot;
		a->xino |= o->lower[i].mounted;
	}
	if (o->api == OVERLAY_CLASSIC && plan_classic(l, o, a, err) < 0)
		return -1;
	ops_add(l, &(struct op){o->api == OVERLAY_CLASSIC ? mount_classic : mount_plus,
			   .what = o->what, .out = o->out, .arg = a});
	return 0;
}

/* The root of an overlay shows the attributes of its upper directory. */
static int overlay_same_attributes(int upper, int lower, struct err **err)
{
	struct stat sb;
	struct timespec t[2];

	if (fstat(lower, &sb) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "look at the top layer");
	t[0] = sb.st_atim;
	t[1] = sb.st_mtim;
	if (fchown(upper, sb.st_uid, sb.st_gid) < 0 || fchmod(upper, sb.st_mode & 07777) < 0 ||
		futimens(upper, t) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "prepare the upper directory");
	return 0;
}

int overlay_plan_upper(
	struct op_list *l, int scratch_fd, const char *name, struct overlay *o, struct err **err)
{
	auto_fd int dir = -1, upper = -1, work = -1;
	int lower = l->slot[o->lower[o->n - 1].slot];

	if (name) {
		dir = overlay_scratch_dir(scratch_fd, name, 0700, err);
		if (dir < 0)
			return -1;
		scratch_fd = dir;
	}
	upper = overlay_scratch_dir(scratch_fd, "upper", 0700, err);
	if (upper < 0)
		return -1;
	work = overlay_scratch_dir(scratch_fd, "work", 0700, err);
	if (work < 0 || overlay_same_attributes(upper, lower, err) < 0)
		return -1;
	o->upper = ops_slot_take_fd(l, TAKE_FD(upper));
	o->work = ops_slot_take_fd(l, TAKE_FD(work));
	return 0;
}
