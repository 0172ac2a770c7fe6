/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic compression on several cores.
 */
#ifndef BLD_STORE_COMPRESS_DEFLATE_H
#define BLD_STORE_COMPRESS_DEFLATE_H

#include "store/base/cleanup.h"
#include "store/base/err.h"
#include "store/base/io.h"
#include "store/compress/compress.h"

/*
 * A writer of compressed bytes: gzip as one member (time 0, no name), zstd as one frame. Equal
 * input gives equal bytes, however it arrives and whatever the number of threads, with one version
 * of the compressing library and one class of CPU. gzip 1 to 3 are isa-l's levels (1 is about
 * sixteen times as fast as zlib's usual one), 4 to 9 zlib's. A library that is missing is an error
 * of the first write (ERR_UNSUPPORTED); without isa-l gzip is made by zlib. finish, then free.
 *
 * level 0: the default. threads 0: layer_deflate_threads(); they start with the second MiB. `out`
 * is called by the caller's thread only.
 */
struct layer_deflate;
struct layer_deflate *layer_deflate_new(
	struct io_writer out, enum layer_compression c, int level, unsigned threads);
/* As many as there are cores to run on, at most 12. */
unsigned layer_deflate_threads(void);
/* For tests: what is written to it is compressed. */
struct io_writer layer_deflate_writer(struct layer_deflate *z);
/* All that `from` has; as io_copy into the writer, with a copy less. */
int layer_deflate_copy(struct layer_deflate *z, struct io_reader *from, struct err **err);
int layer_deflate_finish(struct layer_deflate *z, struct err **err);
void layer_deflate_free(struct layer_deflate *z);

DEFINE_CLEANUP(struct layer_deflate *, layer_deflate_free);
#define auto_layer_deflate CLEANUP(layer_deflate_freep)

#endif
