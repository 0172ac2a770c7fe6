// SPDX-License-Identifier: Apache-2.0
// Compression. gzip (RFC 1952) as one member, cut into pieces of 1 MiB: each is deflated on its own
// with the 32 KiB before it as dictionary and ends in a sync flush, then one empty final block
// closes the member. So pieces can be made by several threads one day with the same bytes. isa-l's
// level 1 is the best trade here (performance.md). zstd (RFC 8878) as one frame with checksum.
#include "store/layer/layer.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zstd.h>

#include "store/base/mem.h"

#define PIECE      ((size_t)1 << 20)
#define DICT       ((size_t)32 << 10)
#define OUT        ((size_t)256 << 10)
#define ZSTD_LEVEL 3

struct layer_deflate {
	struct io_writer out;
	enum layer_compression c;
	int level;
	bool started;
	unsigned char *in;  /* owned: the dictionary, then the piece being filled */
	size_t dict;        /* bytes of dictionary that are there, right before in + DICT */
	size_t fill;        /* of the piece */
	unsigned char *buf; /* owned, OUT bytes */
	unsigned char *level_buf;
	size_t level_buf_size;
	uint32_t crc;
	uint64_t total;
	ZSTD_CCtx *zstd;
};

struct layer_deflate *layer_deflate_new(struct io_writer out, enum layer_compression c, int level)
{
	static const uint32_t sizes[] = {
		ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
	struct layer_deflate *z = mem_alloc(sizeof *z);
	z->out = out;
	z->c = c;
	z->buf = mem_array(OUT, 1);
	if (c == LAYER_GZIP) {
		z->level = level < 1 ? 1 : level > 3 ? 3 : level;
		z->level_buf_size = sizes[z->level - 1];
		z->level_buf = mem_array(z->level_buf_size, 1);
		z->in = mem_array(DICT + PIECE, 1);
	} else if (c == LAYER_ZSTD) {
		z->zstd = ZSTD_createCCtx();
		ZSTD_CCtx_setParameter(z->zstd, ZSTD_c_compressionLevel,
			level < 1    ? ZSTD_LEVEL
			: level > 19 ? 19
				     : level);
		ZSTD_CCtx_setParameter(z->zstd, ZSTD_c_checksumFlag, 1);
	}
	return z;
}

void layer_deflate_free(struct layer_deflate *z)
{
	if (!z)
		return;
	ZSTD_freeCCtx(z->zstd);
	free(z->level_buf);
	free(z->in);
	free(z->buf);
	free(z);
}

static int put_header(struct layer_deflate *z, struct err **err)
{
	/* deflate, no flags, time 0, unknown system */
	static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
	if (z->started)
		return 0;
	z->started = true;
	return io_write(&z->out, header, sizeof header, err);
}

/* The piece as deflate blocks up to a byte boundary; its end becomes the next dictionary. */
static int put_piece(struct layer_deflate *z, struct err **err)
{
	auto_free struct isal_zstream *s = mem_alloc(sizeof *s);
	unsigned char *data = z->in + DICT;

	if (put_header(z, err))
		return -1;
	isal_deflate_init(s);
	s->level = (uint32_t)z->level;
	s->level_buf = z->level_buf;
	s->level_buf_size = (uint32_t)z->level_buf_size;
	s->flush = SYNC_FLUSH;
	if (z->dict && isal_deflate_set_dict(s, data - z->dict, (uint32_t)z->dict) != COMP_OK)
		return err_set(err, ERR_SYS, "isa-l refused its dictionary");
	s->next_in = data;
	s->avail_in = (uint32_t)z->fill;
	do {
		s->next_out = z->buf;
		s->avail_out = OUT;
		if (isal_deflate(s) != COMP_OK)
			return err_set(err, ERR_SYS, "isa-l could not compress");
		if (io_write(&z->out, z->buf, OUT - s->avail_out, err))
			return -1;
	} while (s->avail_out == 0 || s->avail_in > 0);
	z->crc = crc32_gzip_refl(z->crc, data, z->fill);
	z->total += z->fill;
	size_t kept = z->fill < DICT ? z->fill : DICT;
	memmove(data - kept, data + z->fill - kept, kept);
	z->dict = kept;
	z->fill = 0;
	return 0;
}

static int write_gzip(struct layer_deflate *z, const unsigned char *p, size_t n, struct err **err)
{
	while (n > 0) {
		size_t k = PIECE - z->fill < n ? PIECE - z->fill : n;
		memcpy(z->in + DICT + z->fill, p, k);
		z->fill += k;
		p += k;
		n -= k;
		if (z->fill == PIECE && put_piece(z, err))
			return -1;
	}
	return 0;
}

static int run_zstd(
	struct layer_deflate *z, const void *p, size_t n, ZSTD_EndDirective end, struct err **err)
{
	ZSTD_inBuffer in = {.src = p, .size = n};
	for (;;) {
		ZSTD_outBuffer out = {.dst = z->buf, .size = OUT};
		size_t left = ZSTD_compressStream2(z->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return err_set(err, ERR_SYS, "zstd: %s", ZSTD_getErrorName(left));
		if (out.pos && io_write(&z->out, z->buf, out.pos, err))
			return -1;
		if (end == ZSTD_e_end ? left == 0 : in.pos == in.size)
			return 0;
	}
}

static int deflate_write(void *ctx, const void *p, size_t n, struct err **err)
{
	struct layer_deflate *z = ctx;
	switch (z->c) {
	case LAYER_PLAIN:
		return io_write(&z->out, p, n, err);
	case LAYER_GZIP:
		return write_gzip(z, p, n, err);
	case LAYER_ZSTD:
		return run_zstd(z, p, n, ZSTD_e_continue, err);
	}
	return 0;
}

struct io_writer layer_deflate_writer(struct layer_deflate *z)
{
	return (struct io_writer){.write = deflate_write, .ctx = z};
}

static void little_endian(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

int layer_deflate_finish(struct layer_deflate *z, struct err **err)
{
	/* an empty final block with fixed codes */
	unsigned char tail[10] = {0x03, 0x00};

	if (z->c == LAYER_PLAIN)
		return 0;
	if (z->c == LAYER_ZSTD)
		return run_zstd(z, "", 0, ZSTD_e_end, err);
	if (z->fill && put_piece(z, err))
		return -1;
	if (put_header(z, err))
		return -1;
	little_endian(tail + 2, z->crc);
	little_endian(tail + 6, (uint32_t)z->total);
	return io_write(&z->out, tail, sizeof tail, err);
}
