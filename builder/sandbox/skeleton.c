// SPDX-License-Identifier: Apache-2.0
/*
 * An extra lowest directory with the places that the sandbox mounts on, for images that lack them:
 * so nothing is made in the upper, and the layer of the step does not show them. Modes are set by
 * hand, against the umask.
 */
#include "builder/sandbox/skeleton.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/mem.h"

const char *const sandbox_skeleton_dirs[] = {"dev", "etc", "proc", "sys", NULL};

static const char *const files[] = {"etc/hostname", "etc/hosts", "etc/resolv.conf"};

/* Whatever the umask of bld is, what a command sees does not depend on it. */
static int skeleton_make_dir(int at, const char *name)
{
	auto_fd int fd = -1;

	if (mkdirat(at, name, 0755) < 0)
		return -1;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -1 : fchmod(fd, 0755);
}

static int skeleton_make_file(int at, const char *name)
{
	auto_fd int fd =
		openat(at, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : fchmod(fd, 0644);
}

int skeleton_fill(int dir_fd, struct err **err)
{
	int r = fchmod(dir_fd, 0755); /* the root of a sandbox without layers */

	for (size_t i = 0; r == 0 && sandbox_skeleton_dirs[i]; i++)
		r = skeleton_make_dir(dir_fd, sandbox_skeleton_dirs[i]);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++)
		r = skeleton_make_file(dir_fd, files[i]);
	return r < 0 ? err_sys_kind(err, ERR_SANDBOX, "make the places to mount on") : 0;
}
