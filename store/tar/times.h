/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole times of a layer's files. A tar says seconds, because no digest may depend on the rest; but
 * what a later step of the build sees has the whole time, or make takes a file that was written
 * after its target for an older one. So the rest lies beside the layer, in a blob of its own that
 * the record of the step names, and forms that are made for that step show it. It says two things:
 *
 *	which entries of the tar have nanoseconds, by their number;
 *	which directories have another time although they have no entry.
 *
 * "bld-times 1\n", then in the order of the tar: a number N (LEB128). N > 0: the N-th entry since
 * the last one has these nanoseconds (u32, little endian). N = 0: length (LEB128) and path of a
 * directory, seconds (s64), nanoseconds (u32).
 */
#ifndef BLD_STORE_TAR_TIMES_H
#define BLD_STORE_TAR_TIMES_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/tar/entry.h"

#define LAYER_TIMES_MAX                                                                            \
	((size_t)128 << 20) /* bytes: six an entry, and the paths of directories                   \
			     */

struct layer_times {
	struct buf b;     /* owned; empty: all times are whole seconds */
	uint64_t entries; /* told so far */
	uint64_t last;    /* the last one that was noted */
};

void layer_times_init(struct layer_times *t);
void layer_times_clear(struct layer_times *t);
/* The next entry of the tar, whatever it is. */
void layer_times_entry(struct layer_times *t, const struct layer_entry *e);
/* A directory that has no entry. */
void layer_times_dir(struct layer_times *t, const char *path, const struct timespec *time);
bool layer_times_any(const struct layer_times *t);
/* Did everything fit? ERR_LIMIT. */
int layer_times_check(const struct layer_times *t, struct err **err);

/* Reads what the functions above wrote; borrows it. */
struct layer_times_reader {
	const unsigned char *p;
	const unsigned char *end;
	uint64_t entry; /* of the record that was read; 0: a directory */
	uint64_t last;
	uint32_t nsec;
	int64_t sec;
	const char *path; /* of a directory; not terminated */
	size_t path_len;
};
/* t may be NULL: nothing to read. ERR_CORRUPT: not what it should be. */
int layer_times_open(struct layer_times_reader *r, const struct layer_times *t, struct err **err);
/* 1, 0 at the end, -1 (ERR_CORRUPT). */
int layer_times_next(struct layer_times_reader *r, struct err **err);

#define auto_layer_times CLEANUP(layer_times_clear)

#endif
