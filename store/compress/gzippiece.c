// SPDX-License-Identifier: Apache-2.0
/*
 * One piece of a gzip stream, deflated by itself with the end of the piece before it as dictionary
 * and closed by a sync flush, so that pieces made by several threads can be put one behind the
 * other. isa-l does the low levels where it is installed, zlib the rest. The CRC of the whole is
 * computed from those of the pieces.
 */
#include "store/compress/gzippiece.h"

#include <stdlib.h>

#include "store/base/mem.h"
#include "store/compress/gziplib.h"
#include "store/compress/isallib.h"

#define ISAL_LEVELS 3
#define MEM_LEVEL   9 /* zlib's window and hash of 256 KiB each: as much as it can use */
#define ROOM        ((size_t)128 << 10)
#define POLYNOMIAL  0xedb88320u /* CRC-32, lowest bit first */
#define CRC_ONE     0x80000000u /* the polynomial 1 in that order */
#define CRC_BYTE    0x00800000u /* x^8 */

struct gzippiece_coder {
	int level;
	const struct isallib *isal; /* this ... */
	struct isal_zstream stream;
	unsigned char *level_buf; /* owned */
	uint32_t level_buf_size;
	const struct gziplib *zlib; /* ... or this */
	z_stream z;
};

static int gzippiece_start_zlib(struct gzippiece_coder *c, struct err **err)
{
	c->zlib = gziplib_get(err);
	if (!c->zlib)
		return -1;
	if (c->zlib->deflate_init(&c->z, c->level, Z_DEFLATED, -MAX_WBITS, MEM_LEVEL,
		    Z_DEFAULT_STRATEGY, ZLIB_VERSION, (int)sizeof c->z) == Z_OK)
		return 0;
	c->zlib = NULL;
	return err_set(err, ERR_SYS, "zlib cannot be started");
}

struct gzippiece_coder *gzippiece_coder_new(int level, struct err **err)
{
	static const uint32_t sizes[ISAL_LEVELS] = {
		ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
	struct gzippiece_coder *c = mem_alloc(sizeof *c);

	c->level = level;
	c->isal = level <= ISAL_LEVELS ? isallib_get() : NULL;
	if (c->isal) {
		c->level_buf_size = sizes[level - 1];
		c->level_buf = mem_array(c->level_buf_size, 1);
	} else if (gzippiece_start_zlib(c, err) < 0) {
		free(c);
		return NULL;
	}
	return c;
}

void gzippiece_coder_free(struct gzippiece_coder *c)
{
	if (!c)
		return;
	if (c->zlib)
		c->zlib->deflate_end(&c->z);
	free(c->level_buf);
	free(c);
}

/* At least ROOM bytes behind what there is. */
static unsigned char *room(struct gzippiece *p, uint32_t *n)
{
	if (p->cap - p->len < ROOM) {
		p->cap = p->len + p->n / 2 + ROOM;
		p->out = mem_grow(p->out, p->cap, 1);
	}
	*n = (uint32_t)(p->cap - p->len);
	return p->out + p->len;
}

static int make_isal(struct gzippiece_coder *c, struct gzippiece *p, struct err **err)
{
	struct isal_zstream *s = &c->stream;
	/* isa-l's arguments lack const. */
	unsigned char *data = (unsigned char *)(uintptr_t)p->data;
	uint32_t space;

	c->isal->deflate_init(s);
	s->level = (uint32_t)c->level;
	s->level_buf = c->level_buf;
	s->level_buf_size = c->level_buf_size;
	s->flush = SYNC_FLUSH;
	if (p->dict && c->isal->deflate_set_dict(s, data - p->dict, (uint32_t)p->dict) != COMP_OK)
		return err_set(err, ERR_SYS, "isa-l refused its dictionary");
	s->next_in = data;
	s->avail_in = (uint32_t)p->n;
	do {
		s->next_out = room(p, &space);
		s->avail_out = space;
		if (c->isal->deflate(s) != COMP_OK)
			return err_set(err, ERR_SYS, "isa-l could not compress");
		p->len += space - s->avail_out;
	} while (s->avail_out == 0 || s->avail_in > 0);
	p->crc = c->isal->crc32(0, data, p->n);
	return 0;
}

static int make_zlib(struct gzippiece_coder *c, struct gzippiece *p, struct err **err)
{
	z_stream *s = &c->z;
	uint32_t space;

	if (c->zlib->deflate_reset(s) != Z_OK ||
		(p->dict &&
			c->zlib->deflate_dictionary(s, p->data - p->dict, (uInt)p->dict) != Z_OK))
		return err_set(err, ERR_SYS, "zlib refused its dictionary");
	s->next_in = (unsigned char *)(uintptr_t)p->data;
	s->avail_in = (uInt)p->n;
	do {
		s->next_out = room(p, &space);
		s->avail_out = space;
		int rc = c->zlib->deflate(s, Z_SYNC_FLUSH);
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return err_set(err, ERR_SYS, "zlib could not compress");
		p->len += space - s->avail_out;
	} while (s->avail_out == 0 || s->avail_in > 0);
	p->crc = (uint32_t)c->zlib->crc32(0, p->data, (uInt)p->n);
	return 0;
}

int gzippiece_make(struct gzippiece_coder *c, struct gzippiece *p, struct err **err)
{
	p->len = 0;
	return c->isal ? make_isal(c, p, err) : make_zlib(c, p, err);
}

/* --- CRC: remainders of polynomials over GF(2), the highest power in the lowest bit ----------- */

static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (uint32_t bit = CRC_ONE; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1; /* times x */
	}
	return product;
}

uint32_t gzippiece_join_crc(uint32_t a, uint32_t b, uint64_t b_bytes)
{
	uint32_t shift = CRC_ONE;

	for (uint32_t power = CRC_BYTE; b_bytes; b_bytes >>= 1) {
		if (b_bytes & 1)
			shift = multiply(shift, power);
		power = multiply(power, power);
	}
	return multiply(a, shift) ^ b;
}
