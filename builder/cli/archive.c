// SPDX-License-Identifier: Apache-2.0
#include "builder/cli/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

static int copy_to_stdout(int dir, struct err **err)
{
	auto_fd int fd = openat(dir, "archive", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
		fs_copy_range(fd, 0, (uint64_t)st.st_size, STDOUT_FILENO) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "standard output");
	return 0;
}

struct work {
	struct store *s;
	const struct image *image; /* or */
	const struct oci_descriptor *index;
	enum transfer_archive kind;
	const char *name;
	const struct transfer_opts *t;
};

static int write_to(const struct work *w, const char *path, struct err **err)
{
	struct digest d;

	return w->image ? transfer_write(w->s, w->image, w->kind, path, w->name, w->t, &d, err)
			: transfer_write_index(
				  w->s, w->index, w->kind, path, w->name, w->t, &d, err);
}

static int write_somewhere(const struct work *w, const char *path, struct err **err)
{
	char temp[64];

	if (path)
		return write_to(w, path, err);
	auto_fd int dir = store_temp_dir(w->s, temp, err);
	if (dir < 0)
		return -1;
	auto_free char *file = mem_printf("/proc/self/fd/%d/archive", dir);
	int r = write_to(w, file, err);
	if (r == 0)
		r = copy_to_stdout(dir, err);
	store_discard(w->s, temp);
	return r;
}

int archive_write(struct store *s, const struct image *i, enum transfer_archive kind,
	const char *path, const char *name, const struct transfer_opts *t, struct err **err)
{
	const struct work w = {.s = s, .image = i, .kind = kind, .name = name, .t = t};

	return write_somewhere(&w, path, err);
}

int archive_write_index(struct store *s, const struct oci_descriptor *index,
	enum transfer_archive kind, const char *path, const char *name,
	const struct transfer_opts *t, struct err **err)
{
	const struct work w = {.s = s, .index = index, .kind = kind, .name = name, .t = t};

	return write_somewhere(&w, path, err);
}
