// SPDX-License-Identifier: Apache-2.0
// Decompression of what comes from outside, bounded in size, ratio and memory. gzip by isa-l (twice
// the speed of zlib; fuzz_inflate holds the two against each other), which checks each member's CRC
// and length; zstd with a window of at most 128 MiB. Members and frames may follow each other.
#include "store/layer/layer.h"

#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zstd.h>

#include "store/base/mem.h"
#include "store/layer/gziphead.h"

#define IN ((size_t)128 << 10)

struct layer_inflate {
	struct io_reader in;
	enum layer_compression c;
	uint64_t max;
	uint64_t total_in;
	uint64_t total_out;
	unsigned char *buf; /* owned, IN bytes */
	size_t pos;
	size_t len;
	bool eof;    /* of the input */
	bool inside; /* of a member or frame */
	bool any;    /* there was one */
	bool done;
	struct gziphead head;
	bool in_head;
	struct inflate_state *gzip; /* owned */
	ZSTD_DCtx *zstd;
};

struct layer_inflate *layer_inflate_new(
	struct io_reader in, enum layer_compression c, uint64_t max_bytes)
{
	struct layer_inflate *z = mem_alloc(sizeof *z);
	z->in = in;
	z->c = c;
	z->max = max_bytes;
	if (c != LAYER_PLAIN)
		z->buf = mem_array(IN, 1);
	if (c == LAYER_GZIP) {
		z->gzip = mem_alloc(sizeof *z->gzip);
	} else if (c == LAYER_ZSTD) {
		z->zstd = ZSTD_createDCtx();
		ZSTD_DCtx_setParameter(z->zstd, ZSTD_d_windowLogMax, LAYER_ZSTD_WINDOW_LOG);
	}
	return z;
}

void layer_inflate_free(struct layer_inflate *z)
{
	if (!z)
		return;
	ZSTD_freeDCtx(z->zstd);
	free(z->gzip);
	free(z->buf);
	free(z);
}

/* Input when there is none left; z->len stays 0 at its end. */
static int fill(struct layer_inflate *z, struct err **err)
{
	if (z->pos < z->len || z->eof)
		return 0;
	ssize_t n = io_read(&z->in, z->buf, IN, err);
	if (n < 0)
		return -1;
	z->pos = 0;
	z->len = (size_t)n;
	z->total_in += (uint64_t)n;
	z->eof = n == 0;
	return 0;
}

static int corrupt(struct err **err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "compressed data: %s", what);
}

/* Some output (*n > 0), or the end of the member (z->inside goes false). */
static int step_gzip(struct layer_inflate *z, void *p, size_t *n, struct err **err)
{
	struct inflate_state *s = z->gzip;
	if (!z->inside) {
		z->head = (struct gziphead){.state = 0};
		z->inside = z->any = z->in_head = true;
	}
	if (z->in_head) {
		size_t used = 0;
		int head = gziphead_take(&z->head, z->buf + z->pos, z->len - z->pos, &used);
		if (head < 0)
			return corrupt(err, "not valid gzip");
		z->pos += used;
		*n = head ? *n : 0;
		if (!head)
			return 0;
		z->in_head = false;
		isal_inflate_init(s);
		s->crc_flag = ISAL_GZIP_NO_HDR_VER;
	}
	s->next_in = z->buf + z->pos;
	s->avail_in = (uint32_t)(z->len - z->pos);
	s->next_out = p;
	s->avail_out = (uint32_t)*n;
	int rc = isal_inflate(s);
	z->pos = z->len - s->avail_in;
	*n -= s->avail_out;
	if (rc != ISAL_DECOMP_OK && rc != ISAL_END_INPUT)
		return corrupt(err, rc == ISAL_INCORRECT_CHECKSUM ? "the checksum does not match"
								  : "not valid gzip");
	if (s->block_state == ISAL_BLOCK_FINISH)
		z->inside = false;
	return 0;
}

static int step_zstd(struct layer_inflate *z, void *p, size_t *n, struct err **err)
{
	ZSTD_inBuffer in = {.src = z->buf + z->pos, .size = z->len - z->pos};
	ZSTD_outBuffer out = {.dst = p, .size = *n};
	z->any = true;
	size_t rc = ZSTD_decompressStream(z->zstd, &out, &in);
	if (ZSTD_isError(rc))
		return corrupt(err, ZSTD_getErrorName(rc));
	z->pos += in.pos;
	*n = out.pos;
	z->inside = rc != 0;
	return 0;
}

static int check_limits(const struct layer_inflate *z, struct err **err)
{
	if (z->total_out > z->max)
		return err_set(err, ERR_LIMIT, "more than %llu bytes when unpacked",
			(unsigned long long)z->max);
	if (z->c != LAYER_PLAIN && z->total_out > LAYER_RATIO_FREE &&
		z->total_out / LAYER_RATIO_MAX > z->total_in)
		return err_set(err, ERR_LIMIT, "compressed more than %d times: not unpacked",
			LAYER_RATIO_MAX);
	return 0;
}

/* Output of at most n bytes; 0 at the end. */
static ssize_t unpack_some(struct layer_inflate *z, void *p, size_t n, struct err **err)
{
	while (!z->done) {
		if (fill(z, err))
			return -1;
		bool input = z->pos < z->len;
		if (!input && !z->inside) {
			if (!z->any)
				return corrupt(err, "unexpected end");
			z->done = true;
			break;
		}
		/* What is buffered inside the decoder comes out without input, too. */
		size_t got = n;
		if (z->c == LAYER_GZIP ? step_gzip(z, p, &got, err) : step_zstd(z, p, &got, err))
			return -1;
		if (got)
			return (ssize_t)got;
		if (!input && z->inside)
			return corrupt(err, "unexpected end");
	}
	return 0;
}

static ssize_t inflate_read(void *ctx, void *p, size_t n, struct err **err)
{
	struct layer_inflate *z = ctx;
	if (n > (size_t)1 << 30)
		n = (size_t)1 << 30;
	if (n == 0)
		return 0;
	ssize_t got = z->c == LAYER_PLAIN ? io_read(&z->in, p, n, err) : unpack_some(z, p, n, err);
	if (got < 0)
		return -1;
	z->total_out += (uint64_t)got;
	return check_limits(z, err) ? -1 : got;
}

struct io_reader layer_inflate_reader(struct layer_inflate *z)
{
	return (struct io_reader){.read = inflate_read, .ctx = z};
}
