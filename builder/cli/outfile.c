// SPDX-License-Identifier: Apache-2.0
/*
 * Files that a command writes its result to. An old one is removed before the build, so that a
 * failed build leaves none that looks like its result; the new one appears by rename. What is no
 * regular file, /dev/stdout for example, is written directly.
 */
#include "builder/cli/outfile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

int outfile_open(struct outfile *f, const char *path, struct err **err)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	auto_free char *dir = NULL;
	struct stat st;

	*f = (struct outfile){.path = path};
	if (!path)
		return 0;
	if (!path[0] || (slash && !slash[1]))
		return err_set(err, ERR_CONTEXT, "\"%s\": not a file name", path);
	dir = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	if (access(dir, W_OK | X_OK) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", path);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys_kind(err, ERR_CONTEXT, "%s", path);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return err_sys_kind(err, ERR_CONTEXT, "%s", path);
	}
	f->direct = !S_ISREG(st.st_mode);
	if (!f->direct && unlink(path) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", path);
	return 0;
}

static int write_direct(const struct outfile *f, const void *p, size_t n, struct err **err)
{
	auto_fd int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0 || fs_write_all(fd, p, n) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", f->path);
	return 0;
}

int outfile_write(const struct outfile *f, const void *p, size_t n, struct err **err)
{
	if (!f->path)
		return 0;
	if (f->direct)
		return write_direct(f, p, n, err);
	if (fs_replace_file(AT_FDCWD, f->path, p, n, 0644, false, err) < 0)
		return err_rekind(err, ERR_CONTEXT);
	return 0;
}
