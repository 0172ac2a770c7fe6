/* SPDX-License-Identifier: Apache-2.0 */
/* libzstd, loaded at its first use (store/base/dynlib.h). For deflate.c and inflate.c. */
#ifndef BLD_STORE_COMPRESS_ZSTDLIB_H
#define BLD_STORE_COMPRESS_ZSTDLIB_H

#include <zstd.h>

#include "store/base/dynlib.h"

#define ZSTDLIB_CALLS(X)                                                                           \
	X(new_cctx, ZSTD_createCCtx)                                                               \
	X(free_cctx, ZSTD_freeCCtx)                                                                \
	X(set_cctx, ZSTD_CCtx_setParameter)                                                        \
	X(compress, ZSTD_compressStream2)                                                          \
	X(new_dctx, ZSTD_createDCtx)                                                               \
	X(free_dctx, ZSTD_freeDCtx)                                                                \
	X(set_dctx, ZSTD_DCtx_setParameter)                                                        \
	X(decompress, ZSTD_decompressStream)                                                       \
	X(is_error, ZSTD_isError)                                                                  \
	X(error_name, ZSTD_getErrorName)

struct zstdlib {
	ZSTDLIB_CALLS(DYNLIB_SLOT)
};

/* NULL: ERR_UNSUPPORTED. Any thread. */
const struct zstdlib *zstdlib_get(struct err **err);

#endif
