// SPDX-License-Identifier: Apache-2.0
/* Thin calls of the mount API (Linux 5.2 and later), safe in the child. */
#include "builder/sandbox/kernel.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>

#include "builder/sandbox/oldmount.h"

#define RENAME_RETRY 64

int kernel_open(int dir, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve};
	int fd;

	/* EAGAIN: somebody renames while ".." is resolved; a shared cache mount can see that. */
	for (int i = 0; i < RENAME_RETRY; i++) {
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

pid_t kernel_clone(uint64_t flags, int *pidfd)
{
	/* No stack and no CLONE_VM: like fork. The exit signal is 0, so that nobody else's wait()
	 * takes the child and no SIGCHLD disturbs the program. */
	return (pid_t)syscall(
		SYS_clone, flags | (pidfd ? CLONE_PIDFD : 0), NULL, pidfd, NULL, NULL);
}

pid_t kernel_clone_into(uint64_t flags, int *pidfd, int group)
{
	struct clone_args args = {
		.flags = flags | CLONE_INTO_CGROUP | CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.cgroup = (uint64_t)group,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* A file system context answers reads with lines such as "e overlay: No source specified". */
static void read_detail(struct ops_state *st, int fs)
{
	int saved = errno;
	ssize_t n = read(fs, st->detail, sizeof st->detail - 1);

	st->detail[n > 0 ? n : 0] = '\0';
	errno = saved;
}

int kernel_fs_create(struct ops_state *st, int fs, uint64_t attr)
{
	int mount = -1;

	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);
	if (mount < 0)
		read_detail(st, fs);
	return mount;
}

/* fsopen, fsconfig, fsmount (or oldmount.h): a detached mount. -1 errno, with the kernel's words in
 * st->detail. */
static int kernel_fs_mount(struct ops_state *st, const struct kernel_fs *f)
{
	int fs = fsopen(f->type, FSOPEN_CLOEXEC), mount = -1, saved;

	if (fs < 0)
		return errno == ENOSYS || errno == EPERM ? oldmount_fs(f) : -1;
	for (size_t i = 0; i < f->n; i++) {
		const struct kernel_fs_opt *o = &f->opt[i];
		unsigned cmd = o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (fsconfig(fs, cmd, o->key, o->value, 0) < 0 && !o->optional) {
			read_detail(st, fs);
			goto out;
		}
	}
	mount = kernel_fs_create(st, fs, f->attr);
out:
	saved = errno;
	close(fs);
	errno = saved;
	return mount;
}

int kernel_op_fs(struct ops_state *st, const struct op *op)
{
	int fd = kernel_fs_mount(st, op->arg);

	if (fd < 0)
		return -1;
	st->slot[op->out] = fd;
	return 0;
}

int kernel_clone_tree(int fd, uint64_t attr)
{
	struct mount_attr set = {.attr_set = attr};
	int tree = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	int saved;

	if (tree < 0 || !attr || mount_setattr(tree, "", AT_EMPTY_PATH, &set, sizeof set) == 0)
		return tree;
	saved = errno;
	close(tree);
	errno = saved;
	return -1;
}

int kernel_attach(int mount, int target)
{
	return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int kernel_enter_fds(struct ops_state *st)
{
	int fd = openat(st->slot[OPS_PROC], "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -1;
	r = fchdir(fd);
	close(fd);
	return r;
}

bool kernel_lacks(int error)
{
	return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL ||
	       error == ENODEV || error == EOPNOTSUPP;
}

char *kernel_number(int n, char out[16])
{
	char tmp[16];
	size_t k = 0, i = 0;

	do {
		tmp[k++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	while (k > 0)
		out[i++] = tmp[--k];
	out[i] = '\0';
	return out;
}
