/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files read ahead of the tar that they go to. The entries of a layer are put in their order
 * and come back in that order, those of small files of a directory root with what a second thread
 * read of them meanwhile. What it could not read, or what does not fit, comes back without: the
 * caller reads it then, and says what is wrong with it. So the layer and the errors are the same
 * for any number of threads.
 *
 * The first COPY_AHEAD_FROM files are not read ahead: a small context starts no thread. After that
 * there are as many threads as processors, COPY_AHEAD_THREADS at most with the caller, who reads
 * what nobody has begun when its turn has come.
 *
 * Memory: COPY_AHEAD_QUEUE pieces of COPY_AHEAD_PIECE files and COPY_AHEAD_BYTES.
 */
#ifndef BLD_BUILDER_COPY_AHEAD_H
#define BLD_BUILDER_COPY_AHEAD_H

#include <stdint.h>
#include <sys/stat.h>

#include "builder/copy/selection.h"

#define COPY_AHEAD_FROM    256
#define COPY_AHEAD_THREADS 4
#define COPY_AHEAD_QUEUE   8
#define COPY_AHEAD_PIECE   16
#define COPY_AHEAD_BYTES   ((size_t)256 << 10)

/* A regular file without attributes that layers carry, as it was in one moment: its content was
 * read in one call, which also met its end. */
struct copy_got {
	struct stat st;
	int64_t clock; /* before it was opened: see statcache_settled */
	const void *data;
};

/* got is NULL for what was not read ahead. Returns 0, or -1 with *err. */
typedef int copy_ahead_fn(void *ctx, struct layer_entry *e, struct copy_file *f, uint32_t source,
	const struct copy_got *got, struct err **err);

struct copy_ahead;
struct copy_ahead *copy_ahead_new(const struct copy_selection *s, copy_ahead_fn *fn, void *ctx);
/* e->path is copied, what else e points to must live until the entry came back. f may be NULL. -1:
 * fn failed; nothing more may be put. */
int copy_ahead_put(struct copy_ahead *a, struct layer_entry *e, struct copy_file *f,
	uint32_t source, struct err **err);
/* All entries come back. */
int copy_ahead_flush(struct copy_ahead *a, struct err **err);
/* Waits for the threads. NULL is accepted. */
void copy_ahead_free(struct copy_ahead *a);

#endif
