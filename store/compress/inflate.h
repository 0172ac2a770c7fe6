/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompression with limits.
 */
#ifndef BLD_STORE_COMPRESS_INFLATE_H
#define BLD_STORE_COMPRESS_INFLATE_H

#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/err.h"
#include "store/base/io.h"
#include "store/compress/compress.h"

#define LAYER_RATIO_MAX       1000 /* uncompressed : compressed, past the first LAYER_RATIO_FREE */
#define LAYER_RATIO_FREE      ((uint64_t)64 << 20)
#define LAYER_ZSTD_WINDOW_LOG 27

/* A reader of the plain bytes; `in` is read to its end. Concatenated members and frames are read
 * on; garbage behind them, truncation, ratio and total size (max_bytes) are errors (ERR_CORRUPT,
 * ERR_LIMIT). */
struct layer_inflate;
struct layer_inflate *layer_inflate_new(
	struct io_reader in, enum layer_compression c, uint64_t max_bytes);
/* gzip by zlib, as where isa-l is missing; for its test. */
struct layer_inflate *layer_inflate_new_portable(struct io_reader in, uint64_t max_bytes);
struct io_reader layer_inflate_reader(struct layer_inflate *z);
void layer_inflate_free(struct layer_inflate *z);

DEFINE_CLEANUP(struct layer_inflate *, layer_inflate_free);
#define auto_layer_inflate CLEANUP(layer_inflate_freep)

#endif
