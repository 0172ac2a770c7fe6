/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the tar walker: tarwalk.c reads headers and names, tarsparse.c finds where the contents of
 * an entry lie. All of it sees bytes from outside.
 */
#ifndef BLD_STORE_TAR_WALK_PRIVATE_H
#define BLD_STORE_TAR_WALK_PRIVATE_H

#include "store/tar/entry.h"

#include "store/tar/times.h"
#include "store/tar/block.h"
#include "store/tar/walk.h"

#define WALK_BLOCK ((uint64_t)LAYER_TAR_BLOCK)

/* Field offsets of POSIX ustar, and of old GNU sparse headers. */
enum {
	F_NAME = 0,
	F_MODE = 100,
	F_UID = 108,
	F_GID = 116,
	F_SIZE = 124,
	F_MTIME = 136,
	F_SUM = 148,
	F_TYPE = 156,
	F_LINK = 157,
	F_MAGIC = 257,
	F_MAJOR = 329,
	F_MINOR = 337,
	F_PREFIX = 345,
	F_SPARSE = 386,
	F_EXTENDED = 482,
	F_REALSIZE = 483,
	F_STAR = 508,
	X_EXTENDED = 504, /* in a continuation block of a sparse map */
};

struct layer_walk {
	int fd;
	int tar_fd; /* what entries name */
	uint64_t size;
	uint64_t pos; /* of the next header */
	uint64_t count;
	bool heads;         /* the contents lie elsewhere */
	uint64_t skipped;   /* bytes of contents that are not in this file, so far */
	unsigned char *win; /* owned, WINDOW_MAX bytes */
	uint64_t win_off;
	size_t win_len;
	size_t ahead;
	bool done;
	bool has_pax;
	struct layer_pax pax;
	char *body;      /* owned: the records that pax points into */
	char *long_name; /* owned; GNU 'L' */
	char *long_link; /* owned; GNU 'K' */
	struct layer_times_reader times;
	bool timed; /* there is a record, for entry times.entry */
	uint64_t entries;
	struct layer_entry e;
	char path[LAYER_PATH_MAX + 1];
	char link[LAYER_PATH_MAX + 1];
};

/* The block at `off`, or NULL. Valid until the next call. */
const unsigned char *walk_block(struct layer_walk *w, uint64_t off, struct err **err);
/* The number in a field of a header. */
int walk_field(const unsigned char *b, size_t off, size_t n, const char *what, int64_t *out,
	struct err **err);
int walk_truncated(struct err **err);
/* n, up to a whole block. */
uint64_t walk_padded(uint64_t n);

/* Size, data offset and extents of the file whose header is b, so many bytes of which the archive
 * has; w->pos is behind the header, and moves behind the content. */
int sparse_content(struct layer_walk *w, const unsigned char *b, uint64_t stored, struct err **err);

#endif
