/* SPDX-License-Identifier: Apache-2.0 */
/* isa-l, loaded when something is compressed or decompressed (store/base/dynlib.h). For
 * gzippiece.c and inflate.c, which do without it more slowly. */
#ifndef BLD_STORE_COMPRESS_ISALLIB_H
#define BLD_STORE_COMPRESS_ISALLIB_H

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include "store/base/dynlib.h"

#define ISALLIB_CALLS(X)                                                                           \
	X(deflate_init, isal_deflate_init)                                                         \
	X(deflate_set_dict, isal_deflate_set_dict)                                                 \
	X(deflate, isal_deflate)                                                                   \
	X(inflate_init, isal_inflate_init)                                                         \
	X(inflate, isal_inflate)                                                                   \
	X(crc32, crc32_gzip_refl)

struct isallib {
	ISALLIB_CALLS(DYNLIB_SLOT)
};

/* NULL when it is not here. Any thread. */
const struct isallib *isallib_get(void);

#endif
