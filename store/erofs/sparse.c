// SPDX-License-Identifier: Apache-2.0
/*
 * Sparse files of an EROFS image. A tar has their pieces one behind the other. When every piece
 * begins at a block, in the file and in the tar, the file is cut into chunks of equal size, and a
 * record for each says where it is or that it is a hole. Pieces that lie crooked are copied into
 * the EROFS image.
 */
#include "store/erofs/private.h"

#include "store/base/fs.h"
#include "store/base/mem.h"

#define CHUNK_BITS_MAX 31
#define COPY_BUFFER    ((size_t)64 << 10)

/* Do all pieces begin at a chunk of the file, and end at one or with the file? */
static bool in_chunks(const struct layer_inode *i, uint64_t chunk)
{
	for (size_t k = 0; k < i->extra->nextents; k++) {
		const struct layer_extent *e = &i->extra->extents[k];
		uint64_t end = e->off + e->len;
		if (e->off % chunk || (end % chunk && end != i->size) ||
			e->data % LAYER_EROFS_BLOCK)
			return false;
	}
	return true;
}

enum layer_erofs_sparse layer_erofs_sparse(
	const struct layer_inode *i, uint8_t *bits, uint64_t *records)
{
	const struct layer_extra *x = i->extra;

	*bits = 0;
	*records = 0;
	if (!i->size)
		return LAYER_EROFS_NO_DATA;
	if (!in_chunks(i, LAYER_EROFS_BLOCK))
		return LAYER_EROFS_COPIED;
	if (x->nextents == 1 && x->extents[0].len == i->size)
		return LAYER_EROFS_ONE_PIECE;
	/* A file that is one hole gets one record; a start block that means "none" is an error when
	 * a compact inode has it (seen on 6.18). */
	while (*bits < CHUNK_BITS_MAX && in_chunks(i, (uint64_t)LAYER_EROFS_BLOCK << (*bits + 1)))
		++*bits;
	*records = layer_erofs_up(i->size, (uint64_t)LAYER_EROFS_BLOCK << *bits) >> *bits >> 9;
	return LAYER_EROFS_PIECES;
}

int layer_erofs_sparse_records(struct layer_erofs *x, const struct layer_node *n,
	const struct layer_erofs_shape *s, struct err **err)
{
	const struct layer_extra *extra = n->inode->extra;
	const struct layer_extent *e = extra->extents, *end = e + extra->nextents;
	uint64_t chunk = (uint64_t)LAYER_EROFS_BLOCK << s->chunk_bits;
	uint16_t slot = layer_erofs_tar(x, n)->slot;

	for (uint64_t off = 0; off < n->inode->size; off += chunk) {
		unsigned char r[8] = {0};
		while (e < end && e->off + e->len <= off)
			e++;
		if (e < end && e->off <= off) {
			layer_erofs_le16(r + 2, slot);
			layer_erofs_le32(
				r + 4, (uint32_t)((e->data + (off - e->off)) / LAYER_EROFS_BLOCK));
		} else {
			layer_erofs_le32(r + 4, LAYER_EROFS_HOLE);
		}
		if (layer_erofs_put(&x->out, r, sizeof r, err))
			return -1;
	}
	return 0;
}

int layer_erofs_sparse_data(struct layer_erofs *x, const struct layer_node *n, struct err **err)
{
	const struct layer_extra *extra = n->inode->extra;
	uint64_t start = x->out.pos;
	auto_free unsigned char *buf = mem_array(COPY_BUFFER, 1);

	for (size_t k = 0; k < extra->nextents; k++) {
		const struct layer_extent *e = &extra->extents[k];
		if (layer_erofs_pad(&x->out, start + e->off, err))
			return -1;
		for (uint64_t done = 0; done < e->len;) {
			uint64_t left = e->len - done;
			size_t len = left < COPY_BUFFER ? (size_t)left : COPY_BUFFER;
			if (fs_pread_all(n->inode->fd, buf, len, e->data + done))
				return err_sys(err, "reading the layer");
			if (layer_erofs_put(&x->out, buf, len, err))
				return -1;
			done += len;
		}
	}
	return layer_erofs_pad(&x->out, start + n->inode->size, err);
}
