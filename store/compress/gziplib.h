/* SPDX-License-Identifier: Apache-2.0 */
/* zlib, loaded when it is needed (store/base/dynlib.h): for gzip levels that isa-l does not have,
 * and where isa-l is missing. */
#ifndef BLD_STORE_COMPRESS_GZIPLIB_H
#define BLD_STORE_COMPRESS_GZIPLIB_H

#include <zlib.h>

#include "store/base/dynlib.h"

#define GZIPLIB_CALLS(X)                                                                           \
	X(deflate_init, deflateInit2_)                                                             \
	X(deflate_dictionary, deflateSetDictionary)                                                \
	X(deflate_reset, deflateReset)                                                             \
	X(deflate, deflate)                                                                        \
	X(deflate_end, deflateEnd)                                                                 \
	X(inflate_init, inflateInit2_)                                                             \
	X(inflate_reset, inflateReset)                                                             \
	X(inflate, inflate)                                                                        \
	X(inflate_end, inflateEnd)                                                                 \
	X(crc32, crc32)

struct gziplib {
	GZIPLIB_CALLS(DYNLIB_SLOT)
};

/* NULL: ERR_UNSUPPORTED. Any thread. */
const struct gziplib *gziplib_get(struct err **err);

#endif
