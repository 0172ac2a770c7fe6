// SPDX-License-Identifier: Apache-2.0
/*
 * Decompression of what comes from outside, bounded in size, ratio and memory. gzip by isa-l (twice
 * the speed of zlib, which serves where isa-l is missing; fuzz_inflate holds the two against each
 * other); both check each member's CRC and length. zstd with a window of at most 128 MiB. Members
 * and frames may follow each other.
 */
#include "store/compress/inflate.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/compress/gziphead.h"
#include "store/compress/gziplib.h"
#include "store/compress/isallib.h"
#include "store/compress/zstdlib.h"
#include "store/compress/compress.h"

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
	/* one of these three; all NULL: the library is missing, and `err` says so */
	const struct isallib *isal;
	const struct gziplib *zlib;
	const struct zstdlib *zstdlib;
	struct inflate_state *gzip; /* owned; with isal */
	z_stream z;                 /* with zlib */
	ZSTD_DCtx *zstd;            /* owned; with zstdlib */
	struct err *err;            /* owned */
};

static void inflate_start_zlib(struct layer_inflate *z)
{
	const struct gziplib *lib = gziplib_get(&z->err);

	if (lib && lib->inflate_init(&z->z, MAX_WBITS + 16, ZLIB_VERSION, (int)sizeof z->z) == Z_OK)
		z->zlib = lib;
	else if (lib)
		err_set(&z->err, ERR_SYS, "zlib cannot be started");
}

static void inflate_start_zstd(struct layer_inflate *z)
{
	z->zstdlib = zstdlib_get(&z->err);
	if (!z->zstdlib)
		return;
	z->zstd = z->zstdlib->new_dctx();
	z->zstdlib->set_dctx(z->zstd, ZSTD_d_windowLogMax, LAYER_ZSTD_WINDOW_LOG);
}

static struct layer_inflate *inflate_start(
	struct io_reader in, enum layer_compression c, uint64_t max_bytes, bool portable)
{
	struct layer_inflate *z = mem_alloc(sizeof *z);

	z->in = in;
	z->c = c;
	z->max = max_bytes;
	if (c != LAYER_PLAIN)
		z->buf = mem_array(IN, 1);
	if (c == LAYER_GZIP)
		z->isal = portable ? NULL : isallib_get();
	if (z->isal)
		z->gzip = mem_alloc(sizeof *z->gzip);
	else if (c == LAYER_GZIP)
		inflate_start_zlib(z);
	else if (c == LAYER_ZSTD)
		inflate_start_zstd(z);
	return z;
}

struct layer_inflate *layer_inflate_new(
	struct io_reader in, enum layer_compression c, uint64_t max_bytes)
{
	return inflate_start(in, c, max_bytes, false);
}

struct layer_inflate *layer_inflate_new_portable(struct io_reader in, uint64_t max_bytes)
{
	return inflate_start(in, LAYER_GZIP, max_bytes, true);
}

void layer_inflate_free(struct layer_inflate *z)
{
	if (!z)
		return;
	if (z->zlib)
		z->zlib->inflate_end(&z->z);
	if (z->zstdlib)
		z->zstdlib->free_dctx(z->zstd);
	free(z->gzip);
	free(z->buf);
	err_free(z->err);
	free(z);
}

/* Input when there is none left; z->len stays 0 at its end. */
static int inflate_fill(struct layer_inflate *z, struct err **err)
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
static int step_isal(struct layer_inflate *z, void *p, size_t *n, struct err **err)
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
		z->isal->inflate_init(s);
		s->crc_flag = ISAL_GZIP_NO_HDR_VER;
	}
	s->next_in = z->buf + z->pos;
	s->avail_in = (uint32_t)(z->len - z->pos);
	s->next_out = p;
	s->avail_out = (uint32_t)*n;
	int rc = z->isal->inflate(s);
	z->pos = z->len - s->avail_in;
	*n -= s->avail_out;
	if (rc != ISAL_DECOMP_OK && rc != ISAL_END_INPUT)
		return corrupt(err, rc == ISAL_INCORRECT_CHECKSUM ? "the checksum does not match"
								  : "not valid gzip");
	if (s->block_state == ISAL_BLOCK_FINISH)
		z->inside = false;
	return 0;
}

static int step_zlib(struct layer_inflate *z, void *p, size_t *n, struct err **err)
{
	z_stream *s = &z->z;

	if (!z->inside && z->any)
		z->zlib->inflate_reset(s);
	z->inside = z->any = true;
	s->next_in = z->buf + z->pos;
	s->avail_in = (uInt)(z->len - z->pos);
	s->next_out = p;
	s->avail_out = (uInt)*n;
	int rc = z->zlib->inflate(s, Z_NO_FLUSH);
	z->pos = z->len - s->avail_in;
	*n -= s->avail_out;
	if (rc == Z_STREAM_END)
		z->inside = false;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return corrupt(err, s->msg && strstr(s->msg, "check")
					    ? "the checksum does not match"
					    : "not valid gzip");
	return 0;
}

static int step_zstd(struct layer_inflate *z, void *p, size_t *n, struct err **err)
{
	ZSTD_inBuffer in = {.src = z->buf + z->pos, .size = z->len - z->pos};
	ZSTD_outBuffer out = {.dst = p, .size = *n};
	z->any = true;
	size_t rc = z->zstdlib->decompress(z->zstd, &out, &in);
	if (z->zstdlib->is_error(rc))
		return corrupt(err, z->zstdlib->error_name(rc));
	z->pos += in.pos;
	*n = out.pos;
	z->inside = rc != 0;
	return 0;
}

static int inflate_step(struct layer_inflate *z, void *p, size_t *n, struct err **err)
{
	if (z->isal)
		return step_isal(z, p, n, err);
	if (z->zlib)
		return step_zlib(z, p, n, err);
	if (z->zstdlib)
		return step_zstd(z, p, n, err);
	return err_set(err, err_get_kind(z->err), "%s", err_text(z->err));
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
		if (inflate_fill(z, err))
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
		if (inflate_step(z, p, &got, err))
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
