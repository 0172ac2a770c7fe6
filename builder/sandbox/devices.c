// SPDX-License-Identifier: Apache-2.0
/*
 * /dev: filled while it is detached, so nothing in the image can stand in the way, then attached
 * at once. Nodes are made, not taken from the host: major and minor decide what they are.
 */
#include "builder/sandbox/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/mounts.h"

struct node {
	const char *name;
	unsigned major, minor;
};

struct link {
	const char *name, *to;
};

static const struct node nodes[] = {
	{"null", 1, 3},
	{"zero", 1, 5},
	{"full", 1, 7},
	{"random", 1, 8},
	{"urandom", 1, 9},
	{"tty", 5, 0},
};

static const struct link links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
	{"ptmx", "pts/ptmx"},
};

static const char *const directories[] = {"pts", "shm", "mqueue"};

static int devices_fill(struct ops_state *st, const struct op *op)
{
	int dev = st->slot[op->in];

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		if (mknodat(dev, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].to, dev, links[i].name) < 0)
			return -1;
	/* As other runtimes: only where the kernel has it. */
	if (access("/proc/kcore", F_OK) == 0 && symlinkat("/proc/kcore", dev, "core") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(directories); i++)
		if (mkdirat(dev, directories[i], 0755) < 0)
			return -1;
	st->slot[op->out] = openat(dev, "null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return st->slot[op->out] < 0 ? -1 : 0;
}

static int attach_below(struct ops_state *st, const struct op *op)
{
	auto_fd int fd =
		openat(st->slot[OPS_DEV], op->arg, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -1 : kernel_attach(st->slot[op->in], fd);
}

static void plan_below(struct op_list *l, const char *name, const struct kernel_fs *fs)
{
	int slot = mounts_plan_fs(l, fs, -1, ops_text(l, "make /dev/%s", name), false);

	ops_add(l, &(struct op){attach_below, .what = ops_text(l, "mount /dev/%s", name),
			   .in = slot, .arg = name});
}

/* Each node becomes a mount of its own, and /dev around them nodev. */
static int guard(struct ops_state *st, const struct op *op)
{
	struct mount_attr nodev = {.attr_set = MOUNT_ATTR_NODEV};
	int dev = st->slot[op->in];

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		auto_fd int fd = openat(dev, nodes[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		auto_fd int own =
			fd < 0 ? -1 : kernel_clone_tree(fd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

		if (own < 0 || kernel_attach(own, fd) < 0)
			return -1;
	}
	return mount_setattr(dev, "", AT_EMPTY_PATH, &nodev, sizeof nodev);
}

void devices_plan_guard(struct op_list *l)
{
	ops_add(l, &(struct op){guard, .what = "guard /dev", .in = OPS_DEV});
}

void devices_plan(struct op_list *l)
{
	static const struct kernel_fs_opt dev_opt[] = {
		{.key = "mode", .value = "0755"},
		{.key = "size", .value = "64k"},
	};
	static const struct kernel_fs_opt pts_opt[] = {
		{.key = "ptmxmode", .value = "0666"},
		{.key = "mode", .value = "0620"},
		{.key = "gid", .value = "5"},
	};
	static const struct kernel_fs_opt shm_opt[] = {
		{.key = "mode", .value = "1777"},
		{.key = "size", .value = "64m"},
	};
	const uint64_t quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	const struct target at = {"/dev", TARGET_DIR, .no_links = true, .stub = true};

	mounts_plan_fs(l,
		&(struct kernel_fs){"tmpfs", dev_opt, ARRAY_LEN(dev_opt),
			MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
		OPS_DEV, "make /dev", false);
	ops_add(l,
		&(struct op){devices_fill, .what = "make devices", .in = OPS_DEV, .out = OPS_NULL});
	mounts_plan_attach(l, OPS_DEV, &at, "mount /dev",
		"the image must have a real directory there, not a link");
	plan_below(l, "pts",
		&(struct kernel_fs){"devpts", pts_opt, ARRAY_LEN(pts_opt),
			MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC});
	plan_below(l, "shm", &(struct kernel_fs){"tmpfs", shm_opt, ARRAY_LEN(shm_opt), quiet});
	plan_below(l, "mqueue", &(struct kernel_fs){"mqueue", .attr = quiet});
}
