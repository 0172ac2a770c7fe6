// SPDX-License-Identifier: Apache-2.0
/*
 * Namespaces. Overlays and bind mounts are made from descriptors of the caller, and the kernel
 * clones a mount only inside the namespace that it belongs to. So they are made, detached, before
 * the mount namespace is left; then move_mount puts them into the new one.
 *
 * A chroot is no obstacle: inside a mount namespace of our own nobody is harmed when the child
 * climbs out of it, and the sandbox must start from the true root of the namespace, or a process
 * with CAP_SYS_CHROOT could climb as well and meet the file system of the host.
 */
#include "builder/sandbox/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "store/base/mem.h"

#define CLIMB_MAX 4096 /* deeper than any path that a chroot can have */

uint64_t namespace_flags(const struct sandbox_spec *s)
{
	uint64_t flags = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

	/* It shows the group where it was made as the root: one that leaves makes it afterwards. */
	if (!s->insecure)
		flags |= CLONE_NEWCGROUP;
	if (s->network == SANDBOX_NET_NONE)
		flags |= CLONE_NEWNET;
	return flags;
}

static int namespace_close_others(struct ops_state *st, const struct op *op)
{
	const struct op_list *l = op->arg;
	unsigned from = 0;

	(void)st;
	for (size_t i = 0; i < l->nkeep; i++) {
		unsigned keep = (unsigned)l->keep[i];

		if (keep > from && close_range(from, keep - 1, 0) < 0)
			return -1;
		if (keep >= from)
			from = keep + 1;
	}
	return close_range(from, ~0U, 0);
}

static int leave_session(struct ops_state *st, const struct op *op)
{
	(void)st;
	(void)op;
	return syscall(SYS_setsid) < 0 ? -1 : 0;
}

void namespace_plan_first(struct op_list *l)
{
	struct kernel_fs *proc = ops_alloc(l, sizeof *proc);

	*proc = (struct kernel_fs){
		.type = "proc",
		.attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	ops_add(l,
		&(struct op){namespace_close_others, .what = "close the caller's files", .arg = l});
	ops_add(l, &(struct op){leave_session, .what = "start a session"});
	ops_add(l,
		&(struct op){kernel_op_fs, .what = "make a procfs", .out = OPS_PROC, .arg = proc});
}

static int leave_group(struct ops_state *st, const struct op *op)
{
	int fd = st->slot[op->in];

	if (fd >= 0 && write(fd, "0", 1) != 1)
		return -1;
	return unshare(CLONE_NEWCGROUP);
}

void namespace_plan_group(
	struct op_list *l, const struct sandbox_spec *s, const struct cgroups *groups)
{
	if (!s->insecure)
		return;
	ops_add(l, &(struct op){leave_group, .what = "leave the list of devices",
			   .in = groups->leave < 0 ? ops_slot(l) : ops_slot_fd(l, groups->leave)});
}

static int same_place(void)
{
	struct statx here, up;
	unsigned want = STATX_INO | STATX_MNT_ID;

	if (statx(AT_FDCWD, ".", 0, want, &here) < 0 || statx(AT_FDCWD, "..", 0, want, &up) < 0)
		return -1;
	return here.stx_ino == up.stx_ino && here.stx_mnt_id == up.stx_mnt_id;
}

/* Out of every chroot: ".." stops at the root of the process, so the root goes elsewhere, into
 * the detached procfs, while the working directory stays. */
static int namespace_climb(int proc_fd)
{
	int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), top = 0;

	if (old < 0)
		return -1;
	if (fchdir(proc_fd) < 0 || chroot(".") < 0 || fchdir(old) < 0)
		top = -1;
	for (int i = 0; top == 0 && i < CLIMB_MAX; i++) {
		top = same_place();
		if (top == 0 && chdir("..") < 0)
			top = -1;
	}
	close(old);
	if (top == 0)
		errno = ELOOP;
	return top == 1 ? chroot(".") : -1;
}

static int new_mount_namespace(struct ops_state *st, const struct op *op)
{
	(void)op;
	if (unshare(CLONE_NEWNS) < 0 || namespace_climb(st->slot[OPS_PROC]) < 0)
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

void namespace_plan_mounts(struct op_list *l)
{
	ops_add(l, &(struct op){new_mount_namespace, .what = "make a mount namespace"});
}

/*
 * On some directory of the old root, which takes everything below it along when it goes. Not on "/"
 * itself: there a mount would come along with the new root, be reached by "/..", and cost an
 * umount, which waits for every CPU.
 */
static int park(struct ops_state *st, const struct op *op)
{
	static const char *const places[] = {"/proc", "/dev", "/sys", "/tmp", "/usr", "/etc"};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		auto_fd int fd = open(places[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			return kernel_attach(st->slot[op->in], fd);
	}
	return -1;
}

void namespace_plan_park(struct op_list *l, int slot, const char *what)
{
	ops_add(l, &(struct op){park, .what = what, .in = slot});
}

/* Afterwards "/.." must be "/": a mount left on the root would be one step away. */
static int pivot(struct ops_state *st, const struct op *op)
{
	int root = st->slot[op->in], same;
	bool attached = op->flags;

	if (!attached && move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return -1;
	/* Now the old root lies on the new one; umount takes what is on top. */
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -1;
	same = same_place();
	if (same == 0)
		errno = EXDEV;
	return same == 1 ? 0 : -1;
}

void namespace_plan_pivot(struct op_list *l, bool attached)
{
	ops_add(l,
		&(struct op){pivot, .what = "change the root", .in = OPS_ROOT, .flags = attached});
}

static int set_host_name(struct ops_state *st, const struct op *op)
{
	const char *name = op->arg;

	(void)st;
	return sethostname(name, strlen(name)) < 0 || setdomainname("", 0) < 0 ? -1 : 0;
}

static int new_keyring(struct ops_state *st, const struct op *op)
{
	(void)st;
	(void)op;
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ? -1 : 0;
}

void namespace_plan_names(struct op_list *l, const char *hostname)
{
	ops_add(l, &(struct op){set_host_name, .what = "set the host name", .arg = hostname});
	/* Without keyrings in the kernel, or with the quota used up, there is nothing to hide: the
	 * filter refuses keyctl in the command. */
	ops_add(l, &(struct op){new_keyring, .what = "join a new keyring", .optional = true});
}
