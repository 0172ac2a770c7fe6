// SPDX-License-Identifier: Apache-2.0
/*
 * Where the contents of a file lie in a tar: in one piece behind its header, or in the pieces of a
 * sparse map, which GNU tar has written in four ways.
 */
#include "store/tar/block.h"
#include "store/tar/walk_private.h"
#include "store/tar/walk.h"

static int wrong_map(struct err **err)
{
	return err_set(err, ERR_CORRUPT, "a sparse file whose map is wrong");
}

static int two_maps(struct err **err)
{
	return err_set(err, ERR_CORRUPT, "a sparse file with two maps");
}

/* Old GNU sparse: four pieces in the header, then continuation blocks of 21. Moves w->pos. */
static int gnu_sparse_map(
	struct layer_walk *w, const unsigned char *b, uint64_t *realsize, struct err **err)
{
	size_t at = F_SPARSE, pieces = 4, flag = F_EXTENDED;
	int64_t off, len;

	if (w->pax.sparse)
		return two_maps(err);
	if (walk_field(b, F_REALSIZE, 12, "size", &off, err))
		return -1;
	if (off < 0)
		return err_set(err, ERR_CORRUPT, "a negative size");
	*realsize = (uint64_t)off;
	for (;;) {
		for (size_t i = 0; i < pieces; i++, at += 24) {
			if (b[at] == 0)
				break;
			if (walk_field(b, at, 12, "sparse", &off, err) ||
				walk_field(b, at + 12, 12, "sparse", &len, err))
				return -1;
			if (off < 0 || len < 0)
				return wrong_map(err);
			if (layer_pax_extent(&w->pax, (uint64_t)off, (uint64_t)len, err))
				return -1;
		}
		if (!b[flag])
			return 0;
		b = walk_block(w, w->pos, err);
		if (!b)
			return -1;
		w->pos += WALK_BLOCK;
		at = 0;
		pieces = 21;
		flag = X_EXTENDED;
	}
}

/* One line of a format 1.0 map: a decimal number. *used counts bytes of the map read so far. */
static int map_number(
	struct layer_walk *w, uint64_t stored, uint64_t *used, uint64_t *out, struct err **err)
{
	uint64_t v = 0;
	for (int digits = 0;; digits++) {
		uint64_t at = w->pos + *used;
		if (*used >= stored)
			return wrong_map(err);
		const unsigned char *b = walk_block(w, at / WALK_BLOCK * WALK_BLOCK, err);
		if (!b)
			return -1;
		unsigned char c = b[at % WALK_BLOCK];
		++*used;
		if (c == '\n' && digits > 0)
			break;
		if (c < '0' || c > '9' || digits > 17)
			return wrong_map(err);
		v = v * 10 + (c - '0');
	}
	*out = v;
	return 0;
}

/* Format 1.0: count, then offset and length of each, padded to a block. Sets *used to its size. */
static int pax_sparse_map(struct layer_walk *w, uint64_t stored, uint64_t *used, struct err **err)
{
	uint64_t count, off, len;
	*used = 0;
	if (map_number(w, stored, used, &count, err))
		return -1;
	for (uint64_t i = 0; i < count; i++) {
		if (map_number(w, stored, used, &off, err) ||
			map_number(w, stored, used, &len, err) ||
			layer_pax_extent(&w->pax, off, len, err))
			return -1;
	}
	*used = walk_padded(*used);
	return *used <= stored ? 0 : wrong_map(err);
}

/* The map of a sparse file in one of the pax formats. Sets *used to its bytes in the content. */
static int pax_sparse(
	struct layer_walk *w, uint64_t stored, uint64_t *used, uint64_t *realsize, struct err **err)
{
	const struct layer_pax *p = &w->pax;
	bool in_data;

	if (layer_pax_map_in_data(p, &in_data, err) ||
		(in_data && pax_sparse_map(w, stored, used, err)))
		return -1;
	if (!p->has_realsize)
		return err_set(err, ERR_CORRUPT, "a sparse file without a size");
	*realsize = p->realsize;
	return 0;
}

static int tar_sparse_finish(struct layer_walk *w, uint64_t stored, uint64_t used, struct err **err)
{
	struct layer_entry *e = &w->e;

	if (layer_sparse_finish(&w->pax, e->size, stored - used, w->pos + w->skipped + used, err))
		return -1;
	e->extents = w->pax.extents;
	e->nextents = w->pax.nextents;
	return 0;
}

int sparse_content(struct layer_walk *w, const unsigned char *b, uint64_t stored, struct err **err)
{
	struct layer_entry *e = &w->e;
	bool gnu = b[F_TYPE] == 'S', sparse = gnu || w->pax.sparse;
	uint64_t used = 0;

	e->size = stored;
	if (gnu && gnu_sparse_map(w, b, &e->size, err))
		return -1;
	if (!w->heads && stored > w->size - w->pos)
		return walk_truncated(err);
	if (sparse && !gnu && pax_sparse(w, stored, &used, &e->size, err))
		return -1;
	if (e->size > LAYER_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "a file of %llu bytes; the limit is %llu",
			(unsigned long long)e->size, (unsigned long long)LAYER_SIZE_MAX);
	if (sparse && tar_sparse_finish(w, stored, used, err))
		return -1;
	e->source = e->size ? LAYER_DATA_FD : LAYER_NO_DATA;
	e->fd = w->tar_fd;
	e->data_off = w->pos + w->skipped + used;
	if (w->heads) { /* a map is there, padded to a block */
		w->pos += used;
		w->skipped += walk_padded(stored - used);
	} else {
		w->pos = walk_padded(w->pos + stored);
	}
	return 0;
}
