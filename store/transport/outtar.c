// SPDX-License-Identifier: Apache-2.0
/*
 * A tar that appears whole: written beside its name and renamed by outtar_commit(). A device or a
 * pipe is written directly, for there is nothing to rename. Whether the user wants to stop is asked
 * with every write.
 */
#include "store/transport/outtar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/io.h"
#include "store/tar/entry.h"
#include "store/tar/write.h"

struct outtar {
	struct progress *p;
	char *path, *shown;
	char *temp; /* name beside path; NULL when written directly (a device, a pipe) */
	int dir_fd;
	int fd;
	struct layer_writer *w;
};

static int outtar_write_out(void *ctx, const void *p, size_t n, struct err **err)
{
	struct outtar *o = ctx;

	if (progress_check(o->p, err) < 0)
		return -1;
	if (fs_write_all(o->fd, p, n) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", o->shown);
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int open_target(struct outtar *o, struct err **err)
{
	auto_free char *dir = mem_printf("%.*s", (int)(base_name(o->path) - o->path), o->path);
	struct stat st;
	char temp[64];

	if (stat(o->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		o->fd = open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return o->fd < 0 ? err_sys_kind(err, ERR_CONTEXT, "%s", o->shown) : 0;
	}
	o->dir_fd = open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dir_fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", o->shown);
	fs_temp_name(temp, sizeof temp, ".bld-tmp");
	o->fd = openat(o->dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (o->fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", o->shown);
	o->temp = mem_strdup(temp);
	return 0;
}

struct outtar *outtar_open(const char *path, struct progress *p, struct err **err)
{
	auto_outtar struct outtar *o = mem_alloc(sizeof *o);

	o->p = p;
	o->dir_fd = o->fd = -1;
	o->path = mem_strdup(path);
	o->shown = fs_printable(path);
	if (open_target(o, err) < 0)
		return NULL;
	o->w = layer_writer_new((struct io_writer){.write = outtar_write_out, .ctx = o});
	layer_writer_in_full(o->w);
	return TAKE(o);
}

void outtar_free(struct outtar *o)
{
	if (!o)
		return;
	layer_writer_free(o->w);
	fd_close(o->fd);
	if (o->temp)
		unlinkat(o->dir_fd, o->temp, 0);
	fd_close(o->dir_fd);
	free(o->temp);
	free(o->path);
	free(o->shown);
	free(o);
}

int outtar_dir(struct outtar *o, const char *name, struct err **err)
{
	struct layer_entry e = {.path = name, .type = LAYER_DIR, .mode = 0755, .fd = -1};
	return layer_writer_add(o->w, &e, err);
}

int outtar_mem(struct outtar *o, const char *name, const void *bytes, size_t n, struct err **err)
{
	struct layer_entry e = {.path = name,
		.type = LAYER_FILE,
		.mode = 0644,
		.size = n,
		.source = n ? LAYER_DATA_MEM : LAYER_NO_DATA,
		.mem = bytes,
		.fd = -1};
	return layer_writer_add(o->w, &e, err);
}

int outtar_fd(struct outtar *o, const char *name, int fd, uint64_t size, struct err **err)
{
	struct layer_entry e = {.path = name,
		.type = LAYER_FILE,
		.mode = 0644,
		.size = size,
		.source = size ? LAYER_DATA_FD : LAYER_NO_DATA,
		.fd = fd};
	return layer_writer_add(o->w, &e, err);
}

int outtar_commit(struct outtar *o, struct err **err)
{
	int fd = o->fd;

	if (layer_writer_finish(o->w, err) < 0)
		return -1;
	o->fd = -1;
	if (close(fd) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", o->shown);
	if (!o->temp)
		return 0;
	if (renameat(o->dir_fd, o->temp, o->dir_fd, base_name(o->path)) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", o->shown);
	free(o->temp);
	o->temp = NULL;
	return 0;
}
