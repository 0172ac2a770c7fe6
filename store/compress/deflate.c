// SPDX-License-Identifier: Apache-2.0
/*
 * Compression. gzip is gzipstream.h's. zstd (RFC 8878): one frame with checksum, made by libzstd's
 * own threads: it cuts the content into jobs of a fixed size, so that their number does not show.
 */
#include "store/compress/deflate.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/cpus.h"
#include "store/base/mem.h"
#include "store/compress/gzipstream.h"
#include "store/compress/zstdlib.h"
#include "store/compress/compress.h"

#define OUT      ((size_t)256 << 10)
#define IN       ((size_t)256 << 10)
#define ZSTD_JOB (2 << 20)
#define THREADS  12 /* with their pieces they take up to 50 MiB */

struct layer_deflate {
	struct io_writer out;
	enum layer_compression c;
	struct gzipstream *gzip;   /* owned */
	const struct zstdlib *lib; /* NULL: missing */
	ZSTD_CCtx *zstd;           /* owned */
	unsigned char *buf;        /* owned, OUT bytes; for zstd */
};

unsigned layer_deflate_threads(void)
{
	unsigned n = cpus_usable();

	return n > THREADS ? THREADS : n;
}

static void deflate_start_zstd(struct layer_deflate *z, int level, unsigned threads)
{
	const struct zstdlib *lib = zstdlib_get(NULL);

	if (!lib)
		return;
	z->lib = lib;
	z->buf = mem_grow(NULL, OUT, 1);
	z->zstd = lib->new_cctx();
	lib->set_cctx(z->zstd, ZSTD_c_compressionLevel, level ? level : LAYER_ZSTD_LEVEL);
	lib->set_cctx(z->zstd, ZSTD_c_checksumFlag, 1);
	/* One thread too: without any, libzstd would make other bytes. */
	lib->set_cctx(z->zstd, ZSTD_c_nbWorkers, (int)threads);
	lib->set_cctx(z->zstd, ZSTD_c_jobSize, ZSTD_JOB);
}

struct layer_deflate *layer_deflate_new(
	struct io_writer out, enum layer_compression c, int level, unsigned threads)
{
	struct layer_deflate *z = mem_alloc(sizeof *z);

	z->out = out;
	z->c = c;
	if (threads == 0)
		threads = layer_deflate_threads();
	if (threads > THREADS)
		threads = THREADS;
	if (c == LAYER_GZIP)
		z->gzip = gzipstream_new(out, level ? level : LAYER_GZIP_LEVEL, threads);
	else if (c == LAYER_ZSTD)
		deflate_start_zstd(z, level, threads);
	return z;
}

void layer_deflate_free(struct layer_deflate *z)
{
	if (!z)
		return;
	if (z->lib)
		z->lib->free_cctx(z->zstd);
	gzipstream_free(z->gzip);
	free(z->buf);
	free(z);
}

static int write_gzip(struct gzipstream *z, const unsigned char *p, size_t n, struct err **err)
{
	while (n > 0) {
		size_t k;
		void *room = gzipstream_room(z, &k);

		k = k < n ? k : n;
		memcpy(room, p, k);
		if (gzipstream_filled(z, k, err) < 0)
			return -1;
		p += k;
		n -= k;
	}
	return 0;
}

static int run_zstd(
	struct layer_deflate *z, const void *p, size_t n, ZSTD_EndDirective end, struct err **err)
{
	ZSTD_inBuffer in = {.src = p, .size = n};

	if (!z->lib) {
		(void)zstdlib_get(err);
		return -1;
	}
	for (;;) {
		ZSTD_outBuffer out = {.dst = z->buf, .size = OUT};
		size_t left = z->lib->compress(z->zstd, &out, &in, end);
		if (z->lib->is_error(left))
			return err_set(err, ERR_SYS, "zstd: %s", z->lib->error_name(left));
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
		return write_gzip(z->gzip, p, n, err);
	case LAYER_ZSTD:
		return run_zstd(z, p, n, ZSTD_e_continue, err);
	}
	return 0;
}

struct io_writer layer_deflate_writer(struct layer_deflate *z)
{
	return (struct io_writer){.write = deflate_write, .ctx = z};
}

/* Read where the compressor takes it from, without a copy. */
static int copy_gzip(struct gzipstream *z, struct io_reader *from, struct err **err)
{
	for (;;) {
		size_t room;
		void *to = gzipstream_room(z, &room);
		ssize_t n = io_read(from, to, room, err);

		if (n <= 0)
			return (int)n;
		if (gzipstream_filled(z, (size_t)n, err) < 0)
			return -1;
	}
}

int layer_deflate_copy(struct layer_deflate *z, struct io_reader *from, struct err **err)
{
	if (z->c == LAYER_GZIP)
		return copy_gzip(z->gzip, from, err);
	auto_free char *chunk = mem_grow(NULL, IN, 1);
	for (;;) {
		ssize_t n = io_read(from, chunk, IN, err);

		if (n <= 0)
			return (int)n;
		if (deflate_write(z, chunk, (size_t)n, err) < 0)
			return -1;
	}
}

int layer_deflate_finish(struct layer_deflate *z, struct err **err)
{
	if (z->c == LAYER_GZIP)
		return gzipstream_finish(z->gzip, err);
	return z->c == LAYER_ZSTD ? run_zstd(z, "", 0, ZSTD_e_end, err) : 0;
}
