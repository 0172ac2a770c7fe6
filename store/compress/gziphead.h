/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of a gzip member (RFC 1952, 2.3), byte by byte. isa-l 2.30 has a parser of its own,
 * but it refuses headers with a CRC that arrive in pieces.
 */
#ifndef BLD_STORE_COMPRESS_GZIPHEAD_H
#define BLD_STORE_COMPRESS_GZIPHEAD_H

#include <stddef.h>
#include <stdint.h>

struct gziphead {
	unsigned state; /* 0 at the start of a member */
	unsigned at;    /* bytes of the present field that were read */
	unsigned extra; /* length of the extra field */
	uint8_t flags;
	uint32_t crc;
	uint32_t want; /* the header's CRC as it says itself */
};

/*
 * Take header bytes from p; *used tells how many. 1: the header is complete and deflate data
 * follows, 0: more is needed, -1: not a gzip header.
 */
int gziphead_take(struct gziphead *h, const unsigned char *p, size_t n, size_t *used);

#endif
