/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of the tar walker: numbers of header fields, the records of a pax extended header,
 * and the maps of sparse files. All of it sees bytes from outside.
 */
#ifndef BLD_STORE_TAR_BLOCK_H
#define BLD_STORE_TAR_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/tar/entry.h"

#define LAYER_TAR_BLOCK 512

/* Octal digits between blanks and NULs, or base-256 with the top bit set. -1 when malformed. */
int layer_tar_number(const unsigned char *field, size_t n, int64_t *out);

/* What the records of one extended header override. Pointers go into the body. */
struct layer_pax {
	const char *path; /* NULL: not given */
	const char *link;
	size_t path_len;
	size_t link_len;
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size;
	uint64_t uid;
	uint64_t gid;
	int64_t mtime;
	struct layer_xattr *xattrs; /* owned; carried ones only, one per name */
	size_t nxattrs;
	size_t xattrs_cap;
	/* GNU sparse formats 0.0, 0.1 (extents) and 1.0 (map in front of the data) */
	bool sparse;
	bool sparse_name; /* path is the GNU.sparse.name, which wins over any path record */
	bool has_offsets; /* records of format 0.0 were seen, */
	bool has_map;     /* of format 0.1: one file has only one of the two */
	bool has_realsize;
	bool has_major, has_minor;
	uint64_t major;
	uint64_t minor;
	uint64_t realsize;
	struct layer_extent *extents; /* owned; off and len */
	size_t nextents;
	size_t extents_cap;
	bool half_extent; /* the last extent waits for its length */
};

void layer_pax_reset(struct layer_pax *p); /* keeps the memory */
void layer_pax_clear(struct layer_pax *p);
/* Parse the records of `body`, which is changed (names are ended) and must outlive *p. */
int layer_pax_parse(struct layer_pax *p, char *body, size_t n, struct err **err);

/* Is the map in front of the data (format 1.0)? ERR_CORRUPT for a version that nobody writes, and
 * for records of two formats in one header. */
int layer_pax_map_in_data(const struct layer_pax *p, bool *yes, struct err **err);

/* Add a piece; ERR_LIMIT past LAYER_EXTENTS_MAX. */
int layer_pax_extent(struct layer_pax *p, uint64_t off, uint64_t len, struct err **err);

/*
 * Sorted, within `realsize`, exactly `stored` bytes in all: sets `data` of each from `data_off`
 * and drops empty pieces. ERR_CORRUPT otherwise.
 */
int layer_sparse_finish(struct layer_pax *p, uint64_t realsize, uint64_t stored, uint64_t data_off,
	struct err **err);

#endif
