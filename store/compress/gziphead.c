// SPDX-License-Identifier: Apache-2.0
/*
 * The header of a gzip member (RFC 1952) byte by byte, since it may be cut anywhere by the pieces
 * it arrives in. Fields that the flags do not ask for are skipped by next_field(); only what is
 * checked is kept.
 */
#include "store/compress/gziphead.h"

enum { FIXED, EXTRA_LEN, EXTRA, NAME, COMMENT, CRC, DONE };
enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16, RESERVED = 0xe0 };

/* The first field from `state` on that the flags ask for. */
static unsigned next_field(const struct gziphead *h, unsigned state)
{
	static const uint8_t flag[] = {0, FEXTRA, FEXTRA, FNAME, FCOMMENT, FHCRC};
	while (state < DONE && !(h->flags & flag[state]))
		state++;
	return state;
}

static void end_field(struct gziphead *h)
{
	h->state = next_field(h, h->state + 1);
	h->at = 0;
}

/* Magic, method, flags, time, extra flags, system. */
static int fixed(struct gziphead *h, uint8_t c)
{
	static const uint8_t start[] = {0x1f, 0x8b, 8};
	if (h->at < sizeof start && c != start[h->at])
		return -1;
	if (h->at == 3) {
		h->flags = c;
		if (c & RESERVED)
			return -1;
	}
	if (++h->at == 10)
		end_field(h);
	return 0;
}

/* CRC-32; headers are short. */
static uint32_t crc_byte(uint32_t crc, uint8_t c)
{
	crc = ~crc ^ c;
	for (int i = 0; i < 8; i++)
		crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	return ~crc;
}

static int gziphead_take_byte(struct gziphead *h, uint8_t c)
{
	if (h->state != CRC)
		h->crc = crc_byte(h->crc, c);
	switch (h->state) {
	case FIXED:
		return fixed(h, c);
	case EXTRA_LEN:
		h->extra |= (unsigned)c << 8 * h->at;
		if (++h->at == 2) {
			end_field(h);
			if (h->extra == 0)
				end_field(h);
		}
		return 0;
	case EXTRA:
		if (++h->at == h->extra)
			end_field(h);
		return 0;
	case NAME:
	case COMMENT:
		if (c == 0)
			end_field(h);
		return 0;
	default:
		h->want |= (uint32_t)c << 8 * h->at;
		if (++h->at == 2)
			end_field(h);
		return 0;
	}
}

int gziphead_take(struct gziphead *h, const unsigned char *p, size_t n, size_t *used)
{
	size_t i = 0;
	while (i < n && h->state != DONE)
		if (gziphead_take_byte(h, p[i++]))
			return -1;
	*used = i;
	if (h->state != DONE)
		return 0;
	return h->flags & FHCRC && h->want != (h->crc & 0xffff) ? -1 : 1;
}
