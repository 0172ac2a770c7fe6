// SPDX-License-Identifier: Apache-2.0
/*
 * A freeze in two halves. The scan writes two things: the tar, as long as it is small, and beside
 * it the headers alone. From the first entry on that would make the tar large, only the headers are
 * written: they say what the tar will be, byte for byte, but for the contents. The second half
 * walks them, opens each file again and goes on with the tar.
 */
#include "store/tree/freeze.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/holes.h"
#include "store/tar/times.h"
#include "store/tree/upperscan.h"
#include "store/tar/entry.h"
#include "store/tar/name.h"
#include "store/tar/walk.h"
#include "store/tar/write.h"
#include "store/tree/tree.h"
#include "store/tree/node.h"

#define STOP_EVERY 64 /* entries between two questions whether to stop */

struct layer_freezing {
	struct layer_freezing_opts o;
	struct layer_times times;  /* owned */
	int upper_fd;              /* owned */
	struct layer_writer *tar;  /* owned; NULL: no entry yet */
	struct layer_writer *head; /* owned */
	int head_fd;               /* owned; -1: nothing is written there yet */
	uint64_t head_size;
	size_t n;
	size_t written; /* entries of the tar so far */
	uint64_t bytes; /* of contents, all of them */
	bool late;      /* only headers from here on */
	/* second half: the directory of the last file */
	int dir_fd; /* owned; -1: none */
	char *dir;  /* owned, its path */
};

static int write_head(void *ctx, const void *p, size_t n, struct err **err)
{
	struct layer_freezing *z = ctx;

	if (z->head_fd < 0)
		z->head_fd = fs_spool(z->o.spool_fd);
	if (z->head_fd < 0 || fs_write_all(z->head_fd, p, n))
		return err_sys(err, "spool file in the store");
	z->head_size += n;
	return 0;
}

static int open_writers(struct layer_freezing *z, struct err **err)
{
	struct hashpipe *pipe = z->o.open(z->o.ctx, err);
	if (!pipe)
		return -1;
	z->tar = layer_writer_into(pipe);
	z->head = layer_writer_new((struct io_writer){.write = write_head, .ctx = z});
	layer_writer_times(z->head, &z->times);
	return 0;
}

static int freezing_take_entry(void *ctx, const struct layer_entry *e, struct err **err)
{
	struct layer_freezing *z = ctx;

	if (!z->tar && open_writers(z, err))
		return -1;
	z->n++;
	z->bytes += e->type == LAYER_FILE ? e->size : 0;
	z->late |= z->n > z->o.most_entries || z->bytes > z->o.most_bytes;
	if (layer_writer_head(z->head, e, err))
		return -1;
	if (z->late)
		return 0;
	z->written++;
	return layer_writer_add(z->tar, e, err);
}

static int scan(struct layer_freezing *z, struct err **err)
{
	if (layer_upper_scan(&z->o.upper, LAYER_DIRS_PARENTS, freezing_take_entry, z, err))
		return -1;
	z->o.upper.below = NULL; /* it may change from here on */
	if (layer_times_check(&z->times, err))
		return -1;
	if (!z->n)
		return 0;
	if (layer_writer_finish(z->late ? z->head : z->tar, err))
		return -1;
	return 0;
}

struct layer_freezing *layer_freezing_new(const struct layer_freezing_opts *o, struct err **err)
{
	struct layer_freezing *z = mem_alloc(sizeof *z);

	z->o = *o;
	layer_times_init(&z->times);
	z->o.upper.times = &z->times;
	z->head_fd = z->dir_fd = -1;
	z->upper_fd = fcntl(o->upper.upper_fd, F_DUPFD_CLOEXEC, 3);
	if (z->upper_fd < 0)
		err_sys(err, "upper directory");
	if (z->upper_fd < 0 || scan(z, err)) {
		layer_freezing_free(z);
		return NULL;
	}
	return z;
}

const struct layer_times *layer_freezing_times(const struct layer_freezing *z)
{
	return &z->times;
}

size_t layer_freezing_entries(const struct layer_freezing *z)
{
	return z->n;
}

bool layer_freezing_done(const struct layer_freezing *z)
{
	return !z->late;
}

int layer_freezing_apply(
	const struct layer_freezing *z, struct layer_tree *t, int take_fd, struct err **err)
{
	if (!z->late) /* the tar is there already */
		return layer_tree_apply_timed(t, take_fd, &z->times, err);
	auto_layer_walk struct layer_walk *w =
		layer_walk_new_heads(z->head_fd, z->head_size, take_fd);
	return layer_tree_put(t, w, take_fd, &z->times, err);
}

/* --- the second half ----------------------------------------------------------------------- */

/* Entries come directory by directory: each is opened once. */
static int enter_dir(struct layer_freezing *z, const char *path, size_t len, struct err **err)
{
	if (z->dir_fd >= 0 && strlen(z->dir) == len && memcmp(z->dir, path, len) == 0)
		return 0;
	if (z->dir_fd >= 0)
		close(TAKE_FD(z->dir_fd));
	free(z->dir);
	z->dir = mem_strndup(path, len);
	z->dir_fd = fs_open_beneath(
		z->upper_fd, len ? z->dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, FS_NOLINKS);
	return z->dir_fd < 0 ? err_sys(err, "directory of the step") : 0;
}

static int freezing_changed(const struct layer_entry *e, struct err **err)
{
	auto_free char *shown = layer_show(e->path);
	return err_set(err, ERR_SYS, "%s: changed while it was read", shown);
}

static int open_content(struct layer_freezing *z, const struct layer_entry *e, struct err **err)
{
	const char *slash = strrchr(e->path, '/'), *name = slash ? slash + 1 : e->path;
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct stat st;

	if (enter_dir(z, e->path, slash ? (size_t)(slash - e->path) : 0, err))
		return -1;
	auto_fd int fd = openat(z->dir_fd, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(z->dir_fd, name, flags);
	if (fd < 0 || fstat(fd, &st)) {
		auto_free char *shown = layer_show(e->path);
		return err_sys(err, "%s", shown);
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size)
		return freezing_changed(e, err);
	return TAKE_FD(fd);
}

static int freezing_write_entry(
	struct layer_freezing *z, const struct layer_entry *e, struct err **err)
{
	struct layer_entry full = *e;
	auto_layer_map struct layer_map map;
	auto_fd int fd = -1;

	layer_map_copy(e, &map);

	if (e->type == LAYER_FILE && e->size) {
		fd = open_content(z, e, err);
		if (fd < 0)
			return -1;
		full.fd = fd;
		full.data_off = 0;
		full.extents = NULL; /* of the tar; the file is whole */
		full.nextents = 0;
	}
	return layer_writer_add_mapped(z->tar, &full, &map, err);
}

int layer_freezing_finish(struct layer_freezing *z, int (*stopped)(void *ctx, struct err **err),
	void *ctx, struct err **err)
{
	const struct layer_entry *e;
	int rc;

	if (!z->late)
		return 0;
	auto_layer_walk struct layer_walk *w = layer_walk_new_heads(z->head_fd, z->head_size, -1);
	for (size_t i = 0; (rc = layer_walk_next(w, &e, err)) > 0; i++) {
		if (i < z->written)
			continue;
		if (stopped && i % STOP_EVERY == 0 && stopped(ctx, err) < 0)
			return -1;
		if (freezing_write_entry(z, e, err))
			return -1;
	}
	return rc < 0 ? -1 : layer_writer_finish(z->tar, err);
}

void layer_freezing_free(struct layer_freezing *z)
{
	if (!z)
		return;
	layer_times_clear(&z->times);
	layer_writer_free(z->tar);
	layer_writer_free(z->head);
	fd_close(z->head_fd);
	fd_close(z->dir_fd);
	fd_close(z->upper_fd);
	free(z->dir);
	free(z);
}
