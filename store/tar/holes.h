/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holes of a file, found by what is in it, and the map that a tar has of its pieces (pax, GNU
 * sparse format 1.0).
 *
 * The rule (LAYER_HOLE in entry.h): a hole begins at a multiple of LAYER_HOLE and ends at one, or
 * with the file; it has LAYER_HOLE bytes at least, all of them zero; and it is as long as it can
 * be. So the map depends on the content alone. What a file system says of its holes only saves
 * reading.
 *
 * Every hole holds the first bytes of a LAYER_HOLE, so a file that has none is read at one place in
 * each: a thousandth of it.
 */
#ifndef BLD_STORE_TAR_HOLES_H
#define BLD_STORE_TAR_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/tar/block.h"
#include "store/tar/entry.h"

/* Pieces of one file: 1.5 MiB of memory, and a file of 128 GiB whose every other LAYER_HOLE is a
 * hole. What lies behind the last hole that fits is one piece. */
#define LAYER_PIECES_MAX ((size_t)1 << 16)
#define LAYER_MAP_MAX    (LAYER_PIECES_MAX * 40 + LAYER_TAR_BLOCK) /* bytes of its text */

struct layer_map {
	bool sparse;            /* there is a hole, and all that follows says something */
	struct layer_extent *v; /* owned: off and len, in order */
	size_t n;
	size_t cap;
};

/*
 * e: a file; fd: its descriptor in place of e->fd where e->source is LAYER_DATA_PATH. The offset of
 * a descriptor whose content begins at 0 is moved and put back.
 */
int layer_map_find(const struct layer_entry *e, int fd, struct layer_map *out, struct err **err);
/* The pieces of an entry that a tar already has as a sparse file, as they stand there. */
void layer_map_copy(const struct layer_entry *e, struct layer_map *out);
void layer_map_clear(struct layer_map *m);
/* Bytes of all pieces. */
uint64_t layer_map_bytes(const struct layer_map *m);
/* The map as it stands in front of the content, up to a whole block. `out` has room for
 * LAYER_MAP_MAX bytes. */
void layer_map_text(const struct layer_map *m, uint64_t size, struct buf *out);

/* The first offset from `off` on, and before `end`, where the file system has data; `end`: there is
 * none. `off` where that cannot be told. The offset of the descriptor is put back. */
uint64_t layer_next_data(int fd, uint64_t off, uint64_t end);

static inline void cleanup_layer_map(struct layer_map *m)
{
	layer_map_clear(m);
}
#define auto_layer_map CLEANUP(cleanup_layer_map)

#endif
