/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compressions of layers, as options name them.
 */
#ifndef BLD_STORE_COMPRESS_COMPRESS_H
#define BLD_STORE_COMPRESS_COMPRESS_H

#include "store/base/err.h"

enum layer_compression { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD };

#define LAYER_GZIP_LEVEL  1 /* the default */
#define LAYER_GZIP_LEVELS 9
#define LAYER_ZSTD_LEVEL  3
#define LAYER_ZSTD_LEVELS 19 /* higher ones need windows that not everybody unpacks */

struct layer_packing {
	enum layer_compression c;
	int level; /* 0: the default */
};
/* "gzip[:1-9]", "zstd[:1-19]", "none". ERR_USAGE with the valid ones. */
int layer_packing_parse(const char *text, struct layer_packing *out, struct err **err);

#endif
