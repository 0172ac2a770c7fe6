// SPDX-License-Identifier: Apache-2.0
/*
 * save and --output to a file or standard output. An archive for standard output is made in the
 * store first and then copied: the writer replaces a file by rename, and an error must not leave
 * half an archive in a pipe.
 */
#include "builder/cli/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/store.h"

static int copy_to_stdout(int dir, struct err **err)
{
	auto_fd int fd = openat(dir, "archive", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
		fs_copy_range(fd, 0, (uint64_t)st.st_size, STDOUT_FILENO) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "standard output");
	return 0;
}

int archive_write_all(struct store *s, const struct transfer_item *v, size_t n,
	enum transfer_archive kind, const char *path, const struct transfer_opts *t,
	struct err **err)
{
	char temp[64];

	if (path)
		return transfer_write(s, v, n, kind, path, t, err);
	auto_fd int dir = store_temp_dir(s, temp, err);
	if (dir < 0)
		return -1;
	auto_free char *file = mem_printf("/proc/self/fd/%d/archive", dir);
	int r = transfer_write(s, v, n, kind, file, t, err);
	if (r == 0)
		r = copy_to_stdout(dir, err);
	store_discard(s, temp);
	return r;
}

int archive_write(struct store *s, const struct image *i, enum transfer_archive kind,
	const char *path, const char *name, const struct transfer_opts *t, struct err **err)
{
	bool docker = kind == TRANSFER_DOCKER_ARCHIVE;
	const struct transfer_item one = {.image = i, .name = name || !docker ? name : i->name};

	return archive_write_all(s, &one, 1, kind, path, t, err);
}

int archive_write_index(struct store *s, const struct oci_descriptor *index,
	enum transfer_archive kind, const char *path, const char *name,
	const struct transfer_opts *t, struct err **err)
{
	const struct transfer_item one = {.index = index, .name = name};

	return archive_write_all(s, &one, 1, kind, path, t, err);
}
