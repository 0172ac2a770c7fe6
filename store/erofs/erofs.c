// SPDX-License-Identifier: Apache-2.0
/* EROFS images: the devices, the superblock, and the order of the work. */
#include "store/erofs/private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/bulk.h"
#include "store/base/mem.h"
#include "store/base/io.h"
#include "store/erofs/erofs.h"
#include "store/tree/tree.h"

#define SUPER       1024u
#define SUPER_SIZE  128u
#define DEVICE_SIZE 128u
#define MAGIC       0xE0F5E1E2u
#define BLOCK_BITS  9
/* Features: times are meant; files in chunks; a table of devices. */
#define COMPAT_MTIME     0x2u
#define INCOMPAT_CHUNKED 0x4u
#define INCOMPAT_DEVICES 0x8u
/* The last block number means "no block". */
#define SPACE_MAX (UINT32_MAX - 1ull)

void layer_erofs_made_clear(struct layer_erofs_made *m)
{
	free(m->fds);
	*m = (struct layer_erofs_made){0};
}

static void index_clear(struct layer_erofs *x)
{
	free(x->tars);
	free(x->by_fd);
	bulk_free(x->links, x->nlinks * sizeof *x->links);
	bulk_free(x->nid, x->nnodes * sizeof *x->nid);
	free(x->out.buf);
}
#define auto_index CLEANUP(index_clear)

static int add_tar(struct layer_erofs *x, int fd, struct err **err)
{
	struct stat st;
	if (fstat(fd, &st))
		return err_sys(err, "layer");
	if ((size_t)fd >= x->nby_fd) {
		size_t n = (size_t)fd + 64;
		x->by_fd = mem_grow(x->by_fd, n, sizeof *x->by_fd);
		memset(x->by_fd + x->nby_fd, 0, (n - x->nby_fd) * sizeof *x->by_fd);
		x->nby_fd = n;
	}
	x->tars[x->ntars++] = (struct layer_erofs_tar){
		.fd = fd, .blocks = (uint64_t)st.st_size / LAYER_EROFS_BLOCK};
	x->by_fd[fd] = (uint32_t)x->ntars;
	return 0;
}

static int add_tars(struct layer_erofs *x, int tar_fd, const struct layer_tree *t, struct err **err)
{
	x->tars = mem_array((t ? t->nfds : 0) + 1, sizeof *x->tars);
	if (tar_fd >= 0 && add_tar(x, tar_fd, err))
		return -1;
	for (size_t i = 0; t && i < t->nfds; i++)
		if (add_tar(x, t->fds[i], err))
			return -1;
	return 0;
}

/* Slots for the tars that are used. */
static int number_tars(struct layer_erofs *x, size_t *slots, struct err **err)
{
	*slots = 0;
	for (size_t i = 0; i < x->ntars; i++)
		if (x->tars[i].used)
			x->tars[i].slot = (uint16_t)++ * slots;
	if (*slots > LAYER_EROFS_TARS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "more than %u layers in one EROFS image",
			LAYER_EROFS_TARS_MAX);
	return 0;
}

/* The tars follow the EROFS image in the space of block numbers. */
static int place_tars(struct layer_erofs *x, struct err **err)
{
	uint64_t start = layer_erofs_up(x->pos, LAYER_EROFS_BLOCK) / LAYER_EROFS_BLOCK;
	for (size_t i = 0; i < x->ntars; i++) {
		struct layer_erofs_tar *t = &x->tars[i];
		if (!t->used)
			continue;
		if (start > SPACE_MAX || t->blocks > SPACE_MAX - start)
			return err_set(err, ERR_UNSUPPORTED, "layers of more than 2 TiB in all");
		t->start = (uint32_t)start;
		start += t->blocks;
	}
	if (start > SPACE_MAX)
		return err_set(err, ERR_UNSUPPORTED, "an EROFS image of more than 2 TiB");
	return 0;
}

static int put_super(struct layer_erofs *x, size_t slots, struct err **err)
{
	unsigned char b[SUPER_SIZE] = {0};
	uint32_t features = (slots ? INCOMPAT_DEVICES : 0) | (x->records ? INCOMPAT_CHUNKED : 0);

	layer_erofs_le32(b, MAGIC);
	layer_erofs_le32(b + 8, COMPAT_MTIME);
	b[12] = BLOCK_BITS;
	layer_erofs_le16(b + 14, (uint16_t)x->nid[0]);
	layer_erofs_le64(b + 16, x->ninodes);
	layer_erofs_le64(b + 24, (uint64_t)x->base);
	layer_erofs_le32(
		b + 36, (uint32_t)(layer_erofs_up(x->pos, LAYER_EROFS_BLOCK) / LAYER_EROFS_BLOCK));
	layer_erofs_le32(b + 80, features);
	layer_erofs_le16(b + 86, (uint16_t)slots);
	layer_erofs_le16(b + 88, (SUPER + SUPER_SIZE) / DEVICE_SIZE);
	if (layer_erofs_pad(&x->out, SUPER, err))
		return -1;
	return layer_erofs_put(&x->out, b, sizeof b, err);
}

static int put_tars(struct layer_erofs *x, struct err **err)
{
	for (size_t i = 0; i < x->ntars; i++) {
		unsigned char b[DEVICE_SIZE] = {0};
		if (!x->tars[i].used)
			continue;
		layer_erofs_le32(b + 64, (uint32_t)x->tars[i].blocks);
		layer_erofs_le32(b + 68, x->tars[i].start);
		if (layer_erofs_put(&x->out, b, sizeof b, err))
			return -1;
	}
	return 0;
}

static int erofs_make_index(
	struct layer_erofs *x, uint32_t last_ino, struct layer_erofs_made *made, struct err **err)
{
	size_t slots;

	if (layer_erofs_survey(x, last_ino, err) || number_tars(x, &slots, err) ||
		layer_erofs_layout(x, SUPER + SUPER_SIZE + slots * DEVICE_SIZE, err) ||
		place_tars(x, err) || put_super(x, slots, err) || put_tars(x, err) ||
		layer_erofs_write(x, err))
		return -1;
	*made = (struct layer_erofs_made){
		.fds = mem_array(slots + 1, sizeof *made->fds), .size = x->out.pos};
	for (size_t i = 0; i < x->ntars; i++)
		if (x->tars[i].used)
			made->fds[made->nfds++] = x->tars[i].fd;
	return 0;
}

int layer_erofs_tree(const struct layer_tree *t, struct io_writer out,
	struct layer_erofs_made *made, struct err **err)
{
	auto_index struct layer_erofs x = {.root = layer_tree_root(t), .out.to = out};
	if (add_tars(&x, -1, t, err))
		return -1;
	return erofs_make_index(&x, t->last_ino, made, err);
}

int layer_erofs_layer(int tar_fd, const struct layer_tree *below, const struct layer_times *times,
	struct io_writer out, struct layer_erofs_made *made, struct err **err)
{
	auto_delta struct layer_delta d;
	if (layer_delta_read(&d, tar_fd, below, times, NULL, err))
		return -1;
	auto_index struct layer_erofs x = {.root = &d.root, .opaque = true, .out.to = out};
	if (add_tars(&x, tar_fd, below, err))
		return -1;
	return erofs_make_index(&x, d.own_ino, made, err);
}
