// SPDX-License-Identifier: Apache-2.0
/*
 * Compressed data from outside. gzip by isa-l, and by zlib as where isa-l is missing, is held
 * against zlib itself: all refuse, or all give the same bytes; isa-l may read streams whose Huffman
 * codes are incomplete, which zlib refuses. The first byte chooses the format, the second the size
 * of the pieces it arrives in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "store/base/buf.h"
#include "store/compress/compress.h"
#include "store/compress/deflate.h"
#include "store/compress/inflate.h"

#define MAX ((uint64_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
	const uint8_t *p;
	size_t n;
	size_t step;
};

static ssize_t read_piece(void *ctx, void *p, size_t n, struct err **err)
{
	struct pieces *s = ctx;
	(void)err;
	size_t k = s->n < s->step ? s->n : s->step;
	k = k < n ? k : n;
	memcpy(p, s->p, k);
	s->p += k;
	s->n -= k;
	return (ssize_t)k;
}

static int keep(void *ctx, const void *p, size_t n, struct err **err)
{
	(void)err;
	return buf_add(ctx, p, n);
}

/* 0 when all of it is good gzip, -1, or -2 for an incomplete set of codes: what that gives is
 * settled by no standard, and the digest of the content judges it anyway. */
static int by_zlib(const uint8_t *p, size_t n, struct buf *out)
{
	bool incomplete;
	z_stream s = {.next_in = (unsigned char *)(uintptr_t)p, .avail_in = (unsigned)n};
	unsigned char chunk[4096];
	int rc = Z_OK;
	if (n == 0 || inflateInit2(&s, 31) != Z_OK)
		return -1;
	while (out->len <= MAX) {
		s.next_out = chunk;
		s.avail_out = sizeof chunk;
		rc = inflate(&s, Z_NO_FLUSH);
		buf_add(out, chunk, sizeof chunk - s.avail_out);
		if (rc == Z_STREAM_END && s.avail_in > 0)
			rc = inflateReset(&s);
		else if (rc != Z_OK)
			break;
	}
	incomplete = rc == Z_DATA_ERROR && s.msg && strstr(s.msg, " set");
	inflateEnd(&s);
	return rc == Z_STREAM_END ? 0 : incomplete ? -2 : -1;
}

enum ended { GOOD, REFUSED, LIMITED };

static enum ended by_ours(
	struct pieces *in, enum layer_compression c, bool portable, struct buf *out)
{
	struct io_reader from = {.read = read_piece, .ctx = in};
	unsigned char chunk[5000];
	struct err *err = NULL;
	ssize_t n;

	struct layer_inflate *z =
		portable ? layer_inflate_new_portable(from, MAX) : layer_inflate_new(from, c, MAX);
	struct io_reader r = layer_inflate_reader(z);
	while ((n = io_read(&r, chunk, sizeof chunk, &err)) > 0)
		buf_add(out, chunk, (size_t)n);
	if ((n < 0) != (err != NULL))
		abort();
	enum ended e = !err ? GOOD : err_get_kind(err) == ERR_LIMIT ? LIMITED : REFUSED;
	err_free(err);
	layer_inflate_free(z);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	enum layer_compression c = data[0] & 1 ? LAYER_ZSTD : LAYER_GZIP;
	struct buf ours, theirs;

	buf_init(&ours, 2 * MAX);
	buf_init(&theirs, 2 * MAX);
	int zlib = c == LAYER_GZIP ? by_zlib(data + 2, size - 2, &theirs) : -1;
	for (int portable = 0; portable <= (c == LAYER_GZIP); portable++) {
		struct pieces in = {.p = data + 2, .n = size - 2, .step = data[1] + 1u};
		enum ended e = by_ours(&in, c, portable, &ours);
		bool free_to_read = zlib == -2 && !portable;
		if (c == LAYER_GZIP && e != LIMITED && !free_to_read && (e == GOOD) != (zlib == 0))
			abort();
		if (c == LAYER_GZIP && e == GOOD && zlib == 0 &&
			(ours.len != theirs.len || memcmp(ours.data, theirs.data, ours.len) != 0))
			abort();
		buf_reset(&ours);
	}

	/* and what we compress comes back */
	buf_reset(&theirs);
	struct layer_deflate *d = layer_deflate_new(
		(struct io_writer){.write = keep, .ctx = &theirs}, LAYER_GZIP, 1, 1);
	struct io_writer w = layer_deflate_writer(d);
	if (io_write(&w, data, size, NULL) || layer_deflate_finish(d, NULL))
		abort();
	layer_deflate_free(d);
	buf_reset(&ours);
	if (by_zlib((const uint8_t *)theirs.data, theirs.len, &ours) || ours.len != size ||
		memcmp(ours.data, data, size) != 0)
		abort();
	buf_clear(&ours);
	buf_clear(&theirs);
	return 0;
}
