/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the EROFS image writer. Three passes over the same walk of the tree: survey (checks,
 * counts, which tars are used, the common time), layout (where each inode lies), write. A
 * directory's inode is followed by its entries, then by the inodes of its files, then by its
 * sub-directories; the root is first, because its number has 16 bits in the superblock.
 *
 * Facts of the format (Linux, fs/erofs; verified by mounting): blocks of 512 bytes, as in tars. The
 * number of an inode (nid) is its byte offset / 32. An inode has 32 bytes (compact: no time of its
 * own, 16-bit ids) or 64, then attributes, then an inline tail that must not cross a block, or
 * chunk records. A file of one piece names its first block in a space in which the EROFS image
 * comes first and the tars follow one another.
 */
#ifndef BLD_STORE_EROFS_PRIVATE_H
#define BLD_STORE_EROFS_PRIVATE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "store/tree/node.h"
#include "store/base/io.h"
#include "store/tree/tree.h"

#define LAYER_EROFS_BLOCK    512u
#define LAYER_EROFS_SLOT     32u /* unit of inode numbers */
#define LAYER_EROFS_NAME_MAX 255
#define LAYER_EROFS_TARS_MAX 4096u      /* devices; keeps the number of the root below 16 bits */
#define LAYER_EROFS_RECORDS  (1u << 20) /* chunk records of all sparse files: 8 MiB */
#define LAYER_EROFS_COPY_MAX                                                                       \
	(4ull << 20)                /* bytes of crooked sparse files, stored in the EROFS image */
#define LAYER_EROFS_HOLE UINT32_MAX /* start block of a file without data */

struct layer_erofs_tar {
	int fd;
	uint64_t blocks; /* complete ones */
	uint32_t start;  /* in the common space, once the layout is known */
	uint16_t slot;   /* number as a device from 1, 0: not used */
	bool used;
};

/* Of a file with several names. */
struct layer_erofs_link {
	uint32_t nid; /* 0: not placed yet */
	uint32_t nlink;
};

struct layer_erofs_out {
	struct io_writer to;
	unsigned char *buf; /* owned */
	size_t n;
	uint64_t pos; /* bytes put so far */
};

struct layer_erofs {
	const struct layer_node *root;
	bool opaque;                  /* an overlay lower: directories carry the mark */
	struct layer_erofs_tar *tars; /* owned */
	size_t ntars;
	uint32_t *by_fd; /* owned: descriptor -> place in tars + 1 */
	size_t nby_fd;
	size_t nlinks;
	struct layer_erofs_link *links; /* owned, by inode number of the tree */
	uint32_t *nid;                  /* owned, by number of the node in the walk */
	uint64_t nnodes;
	uint64_t ninodes;
	uint32_t next;                  /* of the walk: number of the next node */
	int64_t base;                   /* the most common time */
	struct layer_erofs_vote *votes; /* of the survey, for the base */
	uint64_t records;
	uint64_t copied;
	uint64_t pos; /* end of what is placed (layout) or written (write) */
	struct layer_erofs_out out;
};

/* Nodes are numbered in the order of the walk; the children of a directory consecutively. */
struct layer_erofs_at {
	uint32_t number;
	uint32_t first;  /* directories: of the first child */
	uint32_t parent; /* directories: of the directory it is in; the root is its own */
};
typedef int layer_erofs_visit(struct layer_erofs *x, const struct layer_node *n,
	struct layer_erofs_at at, struct err **err);
int layer_erofs_walk(struct layer_erofs *x, layer_erofs_visit *visit, struct err **err);

int layer_erofs_survey(struct layer_erofs *x, uint32_t last_ino, struct err **err);
int layer_erofs_layout(struct layer_erofs *x, uint64_t start, struct err **err);
int layer_erofs_write(struct layer_erofs *x, struct err **err);

/* The tar that has the node's content. */
struct layer_erofs_tar *layer_erofs_tar(const struct layer_erofs *x, const struct layer_node *n);

/* --- one inode ------------------------------------------------------------------------------- */

enum layer_erofs_form { LAYER_EROFS_PLAIN = 0, LAYER_EROFS_INLINE = 2, LAYER_EROFS_CHUNKED = 4 };

struct layer_erofs_shape {
	uint64_t size; /* as stat shows it */
	uint64_t data; /* bytes in blocks of the EROFS image */
	uint32_t xattrs;
	uint32_t head; /* inode and attributes */
	uint32_t tail; /* inline data or chunk records behind them */
	uint32_t nlink;
	uint8_t form; /* enum layer_erofs_form */
	uint8_t chunk_bits;
	bool extended;
	struct timespec mtime;
};
void layer_erofs_shape(
	const struct layer_erofs *x, const struct layer_node *n, struct layer_erofs_shape *s);
/* Where an inode of this shape goes: at or behind x->pos, which moves to its end. */
struct layer_erofs_spot {
	uint64_t inode;
	uint64_t tail;
	uint64_t data;
};
struct layer_erofs_spot layer_erofs_place(struct layer_erofs *x, const struct layer_erofs_shape *s);

/* --- attributes ------------------------------------------------------------------------------ */

/* Calls back for each attribute that the node gets in this EROFS image, until one returns non-zero.
 */
typedef int layer_erofs_xattr_fn(void *ctx, const struct layer_xattr *a, struct err **err);
int layer_erofs_xattrs(const struct layer_erofs *x, const struct layer_node *n,
	layer_erofs_xattr_fn *fn, void *ctx, struct err **err);
/* The number of the name's prefix and what follows it, 0 when it has none that can be stored. */
uint8_t layer_erofs_prefix(const char *name, const char **rest);

/* --- directories ----------------------------------------------------------------------------- */

uint64_t layer_erofs_dir_size(const struct layer_node *dir);
/* All blocks of the directory, the last one without its padding. */
int layer_erofs_dir_put(struct layer_erofs *x, const struct layer_node *dir,
	struct layer_erofs_at at, struct err **err);

/* --- sparse files ---------------------------------------------------------------------------- */

enum layer_erofs_sparse {
	LAYER_EROFS_ONE_PIECE, /* the first extent is the whole file */
	LAYER_EROFS_NO_DATA,
	LAYER_EROFS_PIECES,
	LAYER_EROFS_COPIED,
};
/* *bits: log2 of blocks in a chunk; *records: how many chunks the file has. */
enum layer_erofs_sparse layer_erofs_sparse(
	const struct layer_inode *i, uint8_t *bits, uint64_t *records);
int layer_erofs_sparse_records(struct layer_erofs *x, const struct layer_node *n,
	const struct layer_erofs_shape *s, struct err **err);
int layer_erofs_sparse_data(struct layer_erofs *x, const struct layer_node *n, struct err **err);

/* --- output ---------------------------------------------------------------------------------- */

int layer_erofs_put(struct layer_erofs_out *o, const void *p, size_t n, struct err **err);
int layer_erofs_pad(struct layer_erofs_out *o, uint64_t to, struct err **err);

static inline uint64_t layer_erofs_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static inline void layer_erofs_le16(unsigned char *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof v);
}

static inline void layer_erofs_le32(unsigned char *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

static inline void layer_erofs_le64(unsigned char *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof v);
}

#endif
