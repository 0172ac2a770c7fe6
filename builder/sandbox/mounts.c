// SPDX-License-Identifier: Apache-2.0
/*
 * /proc and /sys, generated files, and attaching in general. Every mount goes from descriptor to
 * descriptor. /proc and /sys must be real directories of the image: a link there would put the
 * covers of dangerous files elsewhere. Covers come from file systems made here, never from the
 * image, so nobody can have exchanged them.
 */
#include "builder/sandbox/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/namespace.h"
#include "builder/sandbox/ops.h"
#include "store/base/mem.h"

#define ATTR_QUIET  (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define ATTR_SEALED (ATTR_QUIET | MOUNT_ATTR_RDONLY)

static const char *const hidden_proc[] = {"acpi", "interrupts", "kcore", "keys", "latency_stats",
	"sched_debug", "scsi", "timer_list", "timer_stats"};
static const char *const readonly_proc[] = {"asound", "bus", "fs", "irq", "sys", "sysrq-trigger"};
/* Of PID 1, which has no more privilege than the command: it could be written to there. */
static const char *const hidden_pid1[] = {"1/mem", "1/task/1/mem"};
static const char *const hidden_sys[] = {"devices/virtual/powercap", "firmware", "fs/selinux"};

static int attach(struct ops_state *st, const struct op *op)
{
	struct target t = *(const struct target *)op->arg;
	struct stat sb;
	auto_fd int fd = -1;

	/* A bind mount needs a target of its own type; what the source is may be known only now. */
	if (t.kind == TARGET_ANY) {
		if (fstat(st->slot[op->in], &sb) < 0)
			return -1;
		t.kind = S_ISDIR(sb.st_mode) ? TARGET_DIR : TARGET_FILE;
	}
	fd = target_open(st, &t);
	return fd < 0 ? -1 : kernel_attach(st->slot[op->in], fd);
}

void mounts_plan_attach(
	struct op_list *l, int in, const struct target *t, const char *what, const char *rule)
{
	struct target *own = ops_dup(l, t, sizeof *t);

	own->path = ops_text(l, "%s", t->path);
	l->stubs += target_stubs(t->path);
	ops_add(l, &(struct op){attach, .what = what, .rule = rule, .in = in, .arg = own});
}

/* --- /proc and /sys ------------------------------------------------------------------------- */

static int check_proc(struct ops_state *st, const struct op *op)
{
	struct statfs sfs;

	if (fstatfs(st->slot[op->in], &sfs) < 0)
		return -1;
	if (sfs.f_type == PROC_SUPER_MAGIC)
		return 0;
	errno = EINVAL;
	return -1;
}

/* Nothing there, or not for us to see: nothing to hide. */
static bool mounts_is_absent(int error)
{
	return error == ENOENT || error == EACCES || error == ENOTDIR;
}

static int open_below(struct ops_state *st, const struct op *op)
{
	return kernel_open(st->slot[op->in], op->arg, O_PATH | O_NOFOLLOW,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int hide_directory(struct ops_state *st, int fd)
{
	auto_fd int cover = -1;

	/* Before Linux 6.15 only a mount that is attached can be cloned. */
	if (!st->cover_used) {
		st->cover_used = true;
		return kernel_attach(st->slot[OPS_COVER], fd);
	}
	cover = kernel_clone_tree(st->slot[OPS_COVER], ATTR_SEALED);
	return cover < 0 ? -1 : kernel_attach(cover, fd);
}

static int hide_file(struct ops_state *st, int fd)
{
	auto_fd int cover =
		kernel_clone_tree(st->slot[OPS_NULL], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

	return cover < 0 ? -1 : kernel_attach(cover, fd);
}

static int hide(struct ops_state *st, const struct op *op)
{
	auto_fd int fd = open_below(st, op);
	struct stat sb;

	if (fd < 0)
		return mounts_is_absent(errno) ? 0 : -1;
	if (fstat(fd, &sb) < 0)
		return -1;
	return S_ISDIR(sb.st_mode) ? hide_directory(st, fd) : hide_file(st, fd);
}

static int make_readonly(struct ops_state *st, const struct op *op)
{
	auto_fd int fd = open_below(st, op), tree = -1;

	if (fd < 0)
		return mounts_is_absent(errno) ? 0 : -1;
	tree = kernel_clone_tree(fd, ATTR_SEALED);
	return tree < 0 ? -1 : kernel_attach(tree, fd);
}

static void plan_each(struct op_list *l, op_fn fn, int in, const char *const *path, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *p = ops_text(l, "%s", path[i]);
		const char *what = fn == hide ? "hide" : "make read-only";
		const char *root = in == OPS_PROC ? "/proc" : "/sys";

		ops_add(l, &(struct op){fn, .what = ops_text(l, "%s %s/%s", what, root, p),
				   .in = in, .arg = p});
	}
}

int mounts_plan_fs(
	struct op_list *l, const struct kernel_fs *fs, int out, const char *what, bool optional)
{
	struct kernel_fs *own = ops_dup(l, fs, sizeof *fs);

	if (fs->n)
		own->opt = ops_dup(l, fs->opt, fs->n * sizeof *fs->opt);
	if (out < 0)
		out = ops_slot(l);
	ops_add(l, &(struct op){kernel_op_fs, .what = what, .out = out, .arg = own,
			   .optional = optional});
	return out;
}

/* On v2 the control groups are there to read. Where the hierarchies of v1 are mounted, alone or
 * mixed with v2, nothing is: /sys/fs/cgroup of the fresh sysfs is an empty directory. */
static int attach_cgroup(struct ops_state *st, const struct op *op)
{
	auto_fd int fd = openat(st->slot[op->flags], "fs/cgroup", O_PATH | O_CLOEXEC);

	return fd < 0 ? -1 : kernel_attach(st->slot[op->in], fd);
}

void mounts_plan_system(struct op_list *l, const struct probe *p, bool bare)
{
	static const struct kernel_fs_opt cover_opt[] = {
		{.key = "size", .value = "4k"},
		{.key = "nr_inodes", .value = "2"},
		{.key = "mode", .value = "0755"},
	};
	static const char *const rule = "the image must have a real directory there, not a link";
	const struct target at_proc = {"/proc", TARGET_DIR, .no_links = true, .stub = true};
	const struct target at_sys = {"/sys", TARGET_DIR, .no_links = true, .stub = true};
	const uint64_t attr = bare ? ATTR_QUIET : ATTR_SEALED;
	int sys, cgroup;

	mounts_plan_fs(l,
		&(struct kernel_fs){"tmpfs", cover_opt, ARRAY_LEN(cover_opt), ATTR_SEALED},
		OPS_COVER, "make a cover for directories", false);
	ops_add(l, &(struct op){check_proc, .what = "check /proc", .in = OPS_PROC});
	mounts_plan_attach(l, OPS_PROC, &at_proc, "mount /proc", rule);
	if (!bare) {
		plan_each(l, make_readonly, OPS_PROC, readonly_proc, ARRAY_LEN(readonly_proc));
		plan_each(l, hide, OPS_PROC, hidden_proc, ARRAY_LEN(hidden_proc));
		plan_each(l, hide, OPS_PROC, hidden_pid1, ARRAY_LEN(hidden_pid1));
	}

	sys = mounts_plan_fs(
		l, &(struct kernel_fs){"sysfs", .attr = attr}, -1, "make a sysfs", false);
	mounts_plan_attach(l, sys, &at_sys, "mount /sys", rule);
	if (!bare) {
		plan_each(l, hide, sys, hidden_sys, ARRAY_LEN(hidden_sys));
		plan_each(l, hide, sys, (const char *const *)p->throttle.v, p->throttle.n);
	}
	if (!p->cgroup2)
		return;
	cgroup = mounts_plan_fs(l, &(struct kernel_fs){"cgroup2", .attr = attr}, -1,
		"make a cgroup file system", true);
	ops_add(l, &(struct op){attach_cgroup, .what = "mount /sys/fs/cgroup", .in = cgroup,
			   .flags = (uint64_t)sys, .optional = true});
}

/* --- generated files ------------------------------------------------------------------------ */

void mounts_plan_files(struct op_list *l)
{
	static const struct kernel_fs_opt opt[] = {
		{.key = "mode", .value = "0700"},
		{.key = "noswap", .optional = true}, /* Linux 6.4 */
	};

	mounts_plan_fs(l,
		&(struct kernel_fs){
			"tmpfs", opt, ARRAY_LEN(opt), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV},
		OPS_FILES, "make a file system for generated files", false);
	namespace_plan_park(l, OPS_FILES, "hold generated files");
}

static int write_whole(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Named by its slot; the file system itself is nowhere in the sandbox. */
static int mounts_make_file(struct ops_state *st, const struct op *op)
{
	const struct mounts_file *f = op->arg;
	uint64_t attr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	auto_fd int fd = -1;
	char name[16];

	if (!(f->mode & 0111))
		attr |= MOUNT_ATTR_NOEXEC;
	/* PID 1 has no umask. */
	fd = openat(st->slot[OPS_FILES], kernel_number(op->out, name),
		O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, f->mode & 0777);
	if (fd < 0 || write_whole(fd, f->data, f->len) < 0)
		return -1;
	if ((f->uid || f->gid) && fchown(fd, f->uid, f->gid) < 0)
		return -1;
	if ((f->mode & 07000) && fchmod(fd, f->mode & 07777) < 0)
		return -1;
	st->slot[op->out] = kernel_clone_tree(fd, attr);
	return st->slot[op->out] < 0 ? -1 : 0;
}

int mounts_plan_file(struct op_list *l, const struct mounts_file *f)
{
	int out = ops_slot(l);
	struct mounts_file *own = ops_dup(l, f, sizeof *f);

	own->data = ops_dup(l, f->data, f->len);
	ops_add(l, &(struct op){mounts_make_file, .what = "make a generated file", .out = out,
			   .arg = own});
	return out;
}
