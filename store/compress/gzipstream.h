/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gzip member (RFC 1952; time 0, no name) made by several threads: cut into pieces of 1 MiB
 * (gzippiece.h), which are compressed side by side and written in order by the caller's thread.
 * The same bytes for any number of threads and any sizes of what comes in.
 *
 * Threads start with the second piece. Memory: 1.7 MiB, at worst 2.4, for each of 2 + 1.5 x threads
 * pieces.
 */
#ifndef BLD_STORE_COMPRESS_GZIPSTREAM_H
#define BLD_STORE_COMPRESS_GZIPSTREAM_H

#include "store/base/cleanup.h"
#include "store/base/io.h"

struct gzipstream;

/* level: 1 to 9; threads: at least 1. */
struct gzipstream *gzipstream_new(struct io_writer out, int level, unsigned threads);
/* Stops the threads. NULL is accepted. */
void gzipstream_free(struct gzipstream *z);

/* Where the next bytes go: at least one byte of room, *n of them. Valid until gzipstream_filled. */
void *gzipstream_room(struct gzipstream *z, size_t *n);
/* The first n bytes of the room are filled. After -1 every call fails. */
int gzipstream_filled(struct gzipstream *z, size_t n, struct err **err);
int gzipstream_finish(struct gzipstream *z, struct err **err);

DEFINE_CLEANUP(struct gzipstream *, gzipstream_free);

#endif
