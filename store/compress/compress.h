/* SPDX-License-Identifier: Apache-2.0 */
/* The compressions of layers, and how options name them. */
#ifndef BLD_STORE_COMPRESS_COMPRESS_H
#define BLD_STORE_COMPRESS_COMPRESS_H

#include <stddef.h>

#include "store/base/err.h"

enum layer_compression { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD };
#define LAYER_COMPRESSIONS (LAYER_ZSTD + 1)

#define LAYER_GZIP_LEVEL  1 /* the default */
#define LAYER_GZIP_LEVELS 9
#define LAYER_ZSTD_LEVEL  3
#define LAYER_ZSTD_LEVELS 19 /* higher ones need windows that not everybody unpacks */
#define LAYER_MAGIC_MAX   4

/* What is known of one; what compresses and what unpacks is in deflate.c and inflate.c, the media
 * types are in store/oci/layertype.c. */
struct layer_compression_row {
	const char *name;
	int level;                            /* the default; 0: there are no levels */
	int levels;                           /* the highest one */
	unsigned char magic[LAYER_MAGIC_MAX]; /* with which a stream begins */
	unsigned magic_len;
};
const struct layer_compression_row *layer_compression_row(enum layer_compression c);
/* Of what begins with these bytes; LAYER_PLAIN for what no other begins with. */
enum layer_compression layer_compression_of(const void *p, size_t n);

struct layer_packing {
	enum layer_compression c;
	int level; /* 0: the default */
};
/* "gzip[:1-9]", "zstd[:1-19]", "none". ERR_USAGE with the valid ones. */
int layer_packing_parse(const char *text, struct layer_packing *out, struct err **err);

#endif
