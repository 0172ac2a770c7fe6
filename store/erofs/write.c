// SPDX-License-Identifier: Apache-2.0
/*
 * Writing an EROFS image: the inodes in the order of the layout, each with what belongs to it.
 * Places are computed again, by the same functions; only numbers of inodes are kept from the
 * layout.
 */
#include "store/erofs/private.h"

#include <string.h>
#include <sys/stat.h>

#include "store/base/mem.h"

#define BUFFER     ((size_t)64 << 10)
#define XATTR_HEAD 12u

/* --- output ---------------------------------------------------------------------------------- */

static int layer_erofs_flush(struct layer_erofs_out *o, struct err **err)
{
	size_t n = o->n;
	o->n = 0;
	return n ? io_write(&o->to, o->buf, n, err) : 0;
}

int layer_erofs_put(struct layer_erofs_out *o, const void *p, size_t n, struct err **err)
{
	if (!o->buf)
		o->buf = mem_array(BUFFER, 1);
	if (n > BUFFER - o->n && layer_erofs_flush(o, err))
		return -1;
	o->pos += n;
	if (n > BUFFER)
		return io_write(&o->to, p, n, err);
	if (n)
		memcpy(o->buf + o->n, p, n);
	o->n += n;
	return 0;
}

int layer_erofs_pad(struct layer_erofs_out *o, uint64_t to, struct err **err)
{
	static const unsigned char zeros[4096];
	while (o->pos < to) {
		uint64_t left = to - o->pos;
		size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;
		if (layer_erofs_put(o, zeros, n, err))
			return -1;
	}
	return 0;
}

/* --- inodes ---------------------------------------------------------------------------------- */

static uint32_t erofs_write_mode_of(const struct layer_node *n)
{
	static const uint32_t types[] = {
		[LAYER_FILE] = S_IFREG,
		[LAYER_DIR] = S_IFDIR,
		[LAYER_SYMLINK] = S_IFLNK,
		[LAYER_CHAR] = S_IFCHR,
		[LAYER_BLOCK] = S_IFBLK,
		[LAYER_FIFO] = S_IFIFO,
		[LAYER_WHITEOUT] = S_IFCHR,
	};
	return types[n->type] | (n->inode ? n->inode->mode & 07777 : 0);
}

/* The block of the common space that a file of the tar begins at. */
static uint32_t file_block(const struct layer_erofs *x, const struct layer_node *n)
{
	const struct layer_inode *i = n->inode;
	uint64_t data = i->sparse && i->size ? i->extra->extents[0].data : i->data_off;

	if (!i->size)
		return 0;
	return layer_erofs_tar(x, n)->start + (uint32_t)(data / LAYER_EROFS_BLOCK);
}

/* The field that is the start block, the device number or the form of the chunks. */
static uint32_t place_field(const struct layer_erofs *x, const struct layer_node *n,
	const struct layer_erofs_shape *s, const struct layer_erofs_spot *spot)
{
	if (n->type == LAYER_CHAR || n->type == LAYER_BLOCK) {
		uint32_t major = (uint32_t)(n->inode->size >> 32);
		uint32_t minor = (uint32_t)n->inode->size;
		return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
	}
	if (s->form == LAYER_EROFS_CHUNKED)
		return 0x20u | s->chunk_bits; /* records of 8 bytes, which name the tar */
	if (s->data)
		return (uint32_t)(spot->data / LAYER_EROFS_BLOCK);
	if (s->form == LAYER_EROFS_INLINE)
		return LAYER_EROFS_HOLE;
	return n->type == LAYER_FILE ? file_block(x, n) : 0;
}

static int put_inode(struct layer_erofs *x, const struct layer_node *n,
	const struct layer_erofs_shape *s, const struct layer_erofs_spot *spot, struct err **err)
{
	unsigned char b[64] = {0};
	uint32_t uid = n->inode ? n->inode->uid : 0, gid = n->inode ? n->inode->gid : 0;

	layer_erofs_le16(b, (uint16_t)(s->form << 1 | (s->extended ? 1 : 0)));
	layer_erofs_le16(b + 2, (uint16_t)(s->xattrs ? 1 + (s->xattrs - XATTR_HEAD) / 4 : 0));
	layer_erofs_le16(b + 4, (uint16_t)erofs_write_mode_of(n));
	layer_erofs_le32(b + 16, place_field(x, n, s, spot));
	layer_erofs_le32(b + 20, (uint32_t)(spot->inode / LAYER_EROFS_SLOT));
	if (s->extended) {
		layer_erofs_le64(b + 8, s->size);
		layer_erofs_le32(b + 24, uid);
		layer_erofs_le32(b + 28, gid);
		layer_erofs_le64(b + 32, (uint64_t)s->mtime.tv_sec);
		layer_erofs_le32(b + 40, (uint32_t)s->mtime.tv_nsec);
		layer_erofs_le32(b + 44, s->nlink);
	} else {
		layer_erofs_le16(b + 6, (uint16_t)s->nlink);
		layer_erofs_le32(b + 8, (uint32_t)s->size);
		layer_erofs_le16(b + 24, (uint16_t)uid);
		layer_erofs_le16(b + 26, (uint16_t)gid);
	}
	return layer_erofs_put(&x->out, b, s->head - s->xattrs, err);
}

static int put_xattr(void *ctx, const struct layer_xattr *a, struct err **err)
{
	struct layer_erofs_out *o = ctx;
	const char *rest = "";
	unsigned char b[4];

	b[1] = layer_erofs_prefix(a->name, &rest);
	b[0] = (unsigned char)strlen(rest);
	layer_erofs_le16(b + 2, (uint16_t)a->len);
	if (layer_erofs_put(o, b, sizeof b, err) || layer_erofs_put(o, rest, b[0], err) ||
		layer_erofs_put(o, a->value, a->len, err))
		return -1;
	/* Everything before it was a multiple of 4, and is. */
	return layer_erofs_pad(o, layer_erofs_up(o->pos, 4), err);
}

static int erofs_write_put_xattrs(struct layer_erofs *x, const struct layer_node *n,
	const struct layer_erofs_shape *s, struct err **err)
{
	if (!s->xattrs)
		return 0;
	if (layer_erofs_pad(&x->out, x->out.pos + XATTR_HEAD, err))
		return -1;
	return layer_erofs_xattrs(x, n, put_xattr, &x->out, err);
}

static int put_content(struct layer_erofs *x, const struct layer_node *n,
	const struct layer_erofs_shape *s, struct layer_erofs_at at, struct err **err)
{
	switch (n->type) {
	case LAYER_DIR:
		return layer_erofs_dir_put(x, n, at, err);
	case LAYER_SYMLINK:
		return layer_erofs_put(&x->out, n->inode->link, (size_t)s->size, err);
	case LAYER_FILE:
		if (s->form == LAYER_EROFS_CHUNKED)
			return layer_erofs_sparse_records(x, n, s, err);
		return s->data ? layer_erofs_sparse_data(x, n, err) : 0;
	default:
		return 0;
	}
}

static int write_node(struct layer_erofs *x, const struct layer_node *n, struct layer_erofs_at at,
	struct err **err)
{
	struct layer_erofs_shape s;

	/* Another name of a file that is written. */
	if ((uint64_t)x->nid[at.number] * LAYER_EROFS_SLOT < x->pos)
		return 0;
	layer_erofs_shape(x, n, &s);
	struct layer_erofs_spot spot = layer_erofs_place(x, &s);
	if (layer_erofs_pad(&x->out, spot.inode, err) || put_inode(x, n, &s, &spot, err) ||
		erofs_write_put_xattrs(x, n, &s, err) ||
		layer_erofs_pad(&x->out, s.data ? spot.data : spot.tail, err) ||
		put_content(x, n, &s, at, err))
		return -1;
	return layer_erofs_pad(&x->out, x->pos, err);
}

int layer_erofs_write(struct layer_erofs *x, struct err **err)
{
	x->pos = x->out.pos;
	if (layer_erofs_walk(x, write_node, err) ||
		layer_erofs_pad(&x->out, layer_erofs_up(x->pos, LAYER_EROFS_BLOCK), err))
		return -1;
	return layer_erofs_flush(&x->out, err);
}
