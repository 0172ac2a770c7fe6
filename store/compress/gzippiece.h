/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One piece of a gzip member: bytes deflated on their own with what went before as dictionary, up
 * to a byte boundary (sync flush), so that pieces follow each other in one stream whoever made
 * them. Levels 1 to 3 are isa-l's (1 is the best trade by far), 4 to 9 zlib's. Without isa-l zlib
 * makes all of them: good gzip, but other bytes and so another digest of the blob, at a fifth of
 * the speed.
 */
#ifndef BLD_STORE_COMPRESS_GZIPPIECE_H
#define BLD_STORE_COMPRESS_GZIPPIECE_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/err.h"

#define GZIPPIECE_DICT ((size_t)32 << 10)

struct gzippiece {
	const unsigned char
		*data; /* borrowed; `dict` more bytes, at most GZIPPIECE_DICT, lie before */
	size_t n;      /* at most 1 GiB */
	size_t dict;
	/* results */
	unsigned char
		*out; /* owned by the caller, grown as needed; may be there from a piece before */
	size_t cap;
	size_t len;
	uint32_t crc; /* of data */
};

/* Used by one thread at a time. */
struct gzippiece_coder;
struct gzippiece_coder *gzippiece_coder_new(int level, struct err **err);
int gzippiece_make(struct gzippiece_coder *c, struct gzippiece *p, struct err **err);
void gzippiece_coder_free(struct gzippiece_coder *c);

/* The CRC-32 of A and B together from that of each. */
uint32_t gzippiece_join_crc(uint32_t a, uint32_t b, uint64_t b_bytes);

DEFINE_CLEANUP(struct gzippiece_coder *, gzippiece_coder_free);

#endif
