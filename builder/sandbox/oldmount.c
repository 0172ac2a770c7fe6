// SPDX-License-Identifier: Apache-2.0
/*
 * The helper has a copy of our memory, but shares the table of descriptors: it puts the mount on a
 * number that was taken for it, and its exit status is 0 or an errno.
 */
#include "builder/sandbox/oldmount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cleanup.h"

static unsigned long flags_of(uint64_t attr)
{
	static const struct {
		uint64_t attr;
		unsigned long flag;
	} t[] = {
		{MOUNT_ATTR_RDONLY, MS_RDONLY},
		{MOUNT_ATTR_NOSUID, MS_NOSUID},
		{MOUNT_ATTR_NODEV, MS_NODEV},
		{MOUNT_ATTR_NOEXEC, MS_NOEXEC},
		{MOUNT_ATTR_NOATIME, MS_NOATIME},
	};
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		flags |= attr & t[i].attr ? t[i].flag : 0;
	return flags;
}

/* "key=value,flag,..."; false when there is no room. */
static bool write_options(const struct kernel_fs *f, bool optional, char out[OLDMOUNT_OPTIONS])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < f->n; i++) {
		const struct kernel_fs_opt *o = &f->opt[i];
		const char *part[] = {
			n ? "," : "", o->key, o->value ? "=" : "", o->value ? o->value : ""};

		for (size_t k = 0; k < ARRAY_LEN(part) && (optional || !o->optional); k++) {
			size_t len = strlen(part[k]);
			if (len >= OLDMOUNT_OPTIONS - n)
				return false;
			memcpy(out + n, part[k], len + 1);
			n += len;
		}
	}
	return true;
}

/* Over the root of the namespace, which nobody here looks at any more. */
static int mount_here(const struct kernel_fs *f, bool optional)
{
	char options[OLDMOUNT_OPTIONS];

	if (!write_options(f, optional, options)) {
		errno = EINVAL;
		return -1;
	}
	return mount("none", "/", f->type, flags_of(f->attr), options);
}

static int helper(const struct kernel_fs *f, int at)
{
	/* Private first: else the mount would spread. EINVAL in a chroot that is no mount. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	if (mount_here(f, true) < 0 && (errno != EINVAL || mount_here(f, false) < 0))
		return errno;
	/* ".." of the root is what is mounted on it. */
	int tree = open_tree(AT_FDCWD, "/..", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || dup3(tree, at, O_CLOEXEC) < 0)
		return errno;
	close(tree);
	return 0;
}

int oldmount_fs(const struct kernel_fs *f)
{
	int status, at = open("/", O_PATH | O_CLOEXEC);
	pid_t pid = at < 0 ? -1 : kernel_clone(CLONE_FILES | CLONE_VFORK, NULL);

	if (pid == 0)
		_exit(helper(f, at));
	while (pid > 0 && waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			pid = -1;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return at;
	int why = pid < 0 ? errno : WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	fd_close(at);
	errno = why;
	return -1;
}
