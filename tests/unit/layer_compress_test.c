// SPDX-License-Identifier: Apache-2.0
/* gzip and zstd, both ways, held against zlib and libzstd; limits and damage. */
#include "tests/unit/layer_kit.h"
#include "tests/support/machine.h"
#include "store/compress/compress.h"
#include "store/compress/deflate.h"
#include "store/compress/inflate.h"

#include <zlib.h>
#include <zstd.h>

#define MIB ((size_t)1 << 20)

/* Compressible and not, in turns. */
static unsigned char *sample(size_t n)
{
	unsigned char *p = mem_array(n + 1, 1);
	uint32_t x = 1;
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = i / 70000 % 2 ? (unsigned char)(x >> 24)
				     : (unsigned char)("tar entry\0"[i % 10]);
	}
	return p;
}

struct sink {
	struct buf b;
};

static int sink_write(void *ctx, const void *p, size_t n, struct err **err)
{
	(void)err;
	return buf_add(&((struct sink *)ctx)->b, p, n);
}

static struct buf deflate_with(
	const void *p, size_t n, size_t step, enum layer_compression c, int level, unsigned threads)
{
	struct sink s;
	buf_init(&s.b, 256 * MIB);
	struct layer_deflate *z = layer_deflate_new(
		(struct io_writer){.write = sink_write, .ctx = &s}, c, level, threads);
	struct io_writer w = layer_deflate_writer(z);
	for (size_t at = 0; at < n; at += step)
		assert_ok(io_write(&w, (const char *)p + at, n - at < step ? n - at : step, err));
	assert_ok(layer_deflate_finish(z, err));
	layer_deflate_free(z);
	return s.b;
}

static struct buf deflate_all(
	const void *p, size_t n, size_t step, enum layer_compression c, int level)
{
	return deflate_with(p, n, step, c, level, 2);
}

/* Hands out `step` bytes at a time. */
struct slow {
	const unsigned char *p;
	size_t n;
	size_t step;
};

static ssize_t slow_read(void *ctx, void *p, size_t n, struct err **err)
{
	struct slow *s = ctx;
	(void)err;
	size_t k = s->n < s->step ? s->n : s->step;
	k = k < n ? k : n;
	memcpy(p, s->p, k);
	s->p += k;
	s->n -= k;
	return (ssize_t)k;
}

static int read_all(struct layer_inflate *z, size_t step, struct buf *out, struct err **err)
{
	struct io_reader r = layer_inflate_reader(z);
	char *chunk = mem_array(100000, 1);
	ssize_t k;
	buf_init(out, 512 * MIB);
	while ((k = io_read(&r, chunk, step < 100 ? 777 : 100000, err)) > 0)
		buf_add(out, chunk, (size_t)k);
	if (k == 0)
		assert_int_equal(io_read(&r, chunk, 10, err), 0);
	free(chunk);
	layer_inflate_free(z);
	return (int)k;
}

static int inflate_all(const void *p, size_t n, size_t step, enum layer_compression c, uint64_t max,
	struct buf *out, struct err **err)
{
	struct slow s = {.p = p, .n = n, .step = step};
	struct io_reader r = {.read = slow_read, .ctx = &s};
	int rc = read_all(layer_inflate_new(r, c, max), step, out, err);

	if (c != LAYER_GZIP)
		return rc;
	/* zlib, which serves where isa-l is missing, agrees */
	struct slow again = {.p = p, .n = n, .step = step};
	struct err *e = NULL;
	struct buf other;
	r.ctx = &again;
	assert_int_equal(rc, read_all(layer_inflate_new_portable(r, max), step, &other, &e));
	if (rc == 0) {
		assert_int_equal(out->len, other.len);
		if (other.len)
			assert_memory_equal(out->data, other.data, other.len);
	} else if (err) {
		assert_int_equal(err_get_kind(*err), err_get_kind(e));
	}
	err_free(e);
	buf_clear(&other);
	return rc;
}

static void assert_inflates(const void *p, size_t n, size_t step, enum layer_compression c,
	const void *want, size_t want_n)
{
	struct buf out;
	assert_ok(inflate_all(p, n, step, c, 1 << 30, &out, err));
	assert_int_equal(out.len, want_n);
	if (want_n)
		assert_memory_equal(out.data, want, want_n);
	buf_clear(&out);
}

static void round_trips(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 100, 32768, MIB - 1, MIB, MIB + 1, 3 * MIB + 12345};
	static const enum layer_compression kinds[] = {LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		unsigned char *p = sample(sizes[i]);
		for (size_t k = 0; k < 3; k++) {
			struct buf z = deflate_all(p, sizes[i], 100000, kinds[k], 0);
			struct buf other = deflate_all(p, sizes[i], 333, kinds[k], 0);
			/* the same bytes, however they arrive */
			assert_int_equal(z.len, other.len);
			if (z.len)
				assert_memory_equal(z.data, other.data, z.len);
			assert_inflates(z.data, z.len, 100000, kinds[k], p, sizes[i]);
			if (sizes[i] < 100000 || i == 6)
				assert_inflates(z.data, z.len, 7, kinds[k], p, sizes[i]);
			buf_clear(&z);
			buf_clear(&other);
		}
		free(p);
	}
}

/* The number of threads and the sizes of what comes in do not show. */
static void threads_do_not_show(void **state)
{
	(void)state;
	static const struct {
		enum layer_compression c;
		int level;
	} t[] = {{LAYER_GZIP, 0}, {LAYER_GZIP, 3}, {LAYER_GZIP, 6}, {LAYER_ZSTD, 0},
		{LAYER_ZSTD, 9}};
	static const unsigned threads[] = {2, 3, 8, 0, 100};
	static const size_t steps[] = {MIB, 65537, 4095, 7 * MIB, 999999};
	size_t n = machine_rounds(13, 3) * MIB + 4711;
	unsigned char *p = sample(n);

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf one = deflate_with(p, n, 100000, t[i].c, t[i].level, 1);
		for (size_t k = 0; k < machine_rounds(5, 1); k++) {
			struct buf z = deflate_with(p, n, steps[k], t[i].c, t[i].level, threads[k]);
			assert_int_equal(one.len, z.len);
			assert_memory_equal(one.data, z.data, z.len);
			buf_clear(&z);
		}
		assert_inflates(one.data, one.len, 70000, t[i].c, p, n);
		buf_clear(&one);
	}
	free(p);
}

/* Reading into the compressor's own memory gives the same. */
static void copying(void **state)
{
	(void)state;
	static const enum layer_compression kinds[] = {LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD};
	size_t n = 3 * MIB + 5;
	unsigned char *p = sample(n);

	for (size_t k = 0; k < 3; k++) {
		struct buf want = deflate_all(p, n, n, kinds[k], 0);
		struct slow in = {.p = p, .n = n, .step = 70001};
		struct io_reader r = {.read = slow_read, .ctx = &in};
		struct sink s;
		buf_init(&s.b, 64 * MIB);
		struct layer_deflate *z = layer_deflate_new(
			(struct io_writer){.write = sink_write, .ctx = &s}, kinds[k], 0, 3);
		assert_ok(layer_deflate_copy(z, &r, err));
		assert_ok(layer_deflate_finish(z, err));
		layer_deflate_free(z);
		assert_int_equal(want.len, s.b.len);
		assert_memory_equal(want.data, s.b.data, want.len);
		buf_clear(&want);
		buf_clear(&s.b);
	}
	free(p);
}

static int refuse(void *ctx, const void *p, size_t n, struct err **err)
{
	size_t *left = ctx;
	(void)p;
	if (n > *left)
		return err_set(err, ERR_SYS, "the disk is full");
	*left -= n;
	return 0;
}

/* A writer that fails ends it, at the header or amid pieces, with threads at work or not; giving up
 * half-way is no more than a free. */
static void failing_writers(void **state)
{
	(void)state;
	static const size_t rooms[] = {0, 11, MIB, 4 * MIB};
	size_t n = 12 * MIB;
	unsigned char *p = sample(n);

	for (size_t k = 0; k < 16; k++) {
		size_t room = rooms[k / 4];
		enum layer_compression c = k % 2 ? LAYER_ZSTD : LAYER_GZIP;
		struct layer_deflate *z = layer_deflate_new(
			(struct io_writer){.write = refuse, .ctx = &room}, c, 0, k % 4 < 2 ? 1 : 3);
		struct io_writer w = layer_deflate_writer(z);
		struct err *e = NULL;
		assert_int_equal(-1, io_write(&w, p, n, &e) ? -1 : layer_deflate_finish(z, &e));
		assert_string_equal("the disk is full", err_text(e));
		err_free(e);
		layer_deflate_free(z);
		room = n;
		z = layer_deflate_new((struct io_writer){.write = refuse, .ctx = &room}, c, 0, 3);
		w = layer_deflate_writer(z);
		assert_ok(io_write(&w, p, n / 2, err));
		layer_deflate_free(z);
	}
	free(p);
}

static void packings(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct layer_packing want;
	} good[] = {{"gzip", {LAYER_GZIP, 0}}, {"gzip:1", {LAYER_GZIP, 1}},
		{"gzip:9", {LAYER_GZIP, 9}}, {"zstd", {LAYER_ZSTD, 0}}, {"zstd:3", {LAYER_ZSTD, 3}},
		{"zstd:19", {LAYER_ZSTD, 19}}, {"none", {LAYER_PLAIN, 0}}};
	static const char *const bad[] = {"", "gzip:", "gzip:0", "gzip:10", "gzip:1x", "gzip:-1",
		"gzip: 1", "gzip:001", "zstd:20", "zstd:4294967297", "none:1", "none:", "xz",
		"Gzip", "gzipped", "gz", ":1"};
	struct layer_packing got;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_ok(layer_packing_parse(good[i].text, &got, err));
		assert_int_equal(good[i].want.c, got.c);
		assert_int_equal(good[i].want.level, got.level);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err *e = NULL;
		assert_int_equal(-1, layer_packing_parse(bad[i], &got, &e));
		assert_int_equal(ERR_USAGE, err_get_kind(e));
		assert_non_null(strstr(err_text(e), "is no compression"));
		assert_string_equal("gzip, gzip:1 to gzip:9, zstd, zstd:1 to zstd:19, or none",
			err_hint_text(e));
		err_free(e);
	}
}

/* One member, no name, time 0, as zlib sees it. */
static void gzip_is_one_plain_member(void **state)
{
	(void)state;
	size_t n = 2 * MIB + 99;
	unsigned char *p = sample(n), *back = mem_array(n + 1, 1);
	for (int level = 1; level <= LAYER_GZIP_LEVELS; level++) {
		struct buf z = deflate_all(p, n, 65536, LAYER_GZIP, level);
		gz_header head = {0};
		z_stream s = {.next_in = (unsigned char *)z.data,
			.avail_in = (unsigned)z.len,
			.next_out = back,
			.avail_out = (unsigned)n + 1};
		assert_int_equal(inflateInit2(&s, 31), Z_OK);
		inflateGetHeader(&s, &head);
		assert_int_equal(inflate(&s, Z_FINISH), Z_STREAM_END);
		assert_int_equal(s.avail_in, 0);
		assert_int_equal(s.total_out, n);
		assert_memory_equal(back, p, n);
		assert_true(head.done == 1 && head.time == 0 && !head.name && !head.extra &&
			    head.os == 255);
		assert_true(z.len < n);
		inflateEnd(&s);
		buf_clear(&z);
	}
	free(p);
	free(back);
}

static struct buf zlib_gzip(const void *p, size_t n, int level)
{
	struct buf out;
	gz_header head = {.name = (unsigned char *)(char[]){"name"},
		.extra = (unsigned char *)(char[]){"ex"},
		.extra_len = 2,
		.hcrc = 1,
		.time = 5};
	buf_init(&out, 256 * MIB);
	z_stream s = {.next_in = (unsigned char *)(uintptr_t)p, .avail_in = (unsigned)n};
	assert_int_equal(deflateInit2(&s, level, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
	deflateSetHeader(&s, &head);
	unsigned char chunk[4096];
	int rc;
	do {
		s.next_out = chunk;
		s.avail_out = sizeof chunk;
		rc = deflate(&s, Z_FINISH);
		buf_add(&out, chunk, sizeof chunk - s.avail_out);
	} while (rc == Z_OK);
	assert_int_equal(rc, Z_STREAM_END);
	deflateEnd(&s);
	return out;
}

static void members_and_frames_follow_each_other(void **state)
{
	(void)state;
	size_t n = 200000;
	unsigned char *p = sample(n);
	struct buf a = zlib_gzip(p, 100000, 9), b = zlib_gzip(p + 100000, n - 100000, 1);
	struct buf empty = zlib_gzip("", 0, 6);
	buf_add(&a, empty.data, empty.len);
	buf_add(&a, b.data, b.len);
	for (size_t step = 1; step < 100000; step = step * 7 + 1)
		assert_inflates(a.data, a.len, step, LAYER_GZIP, p, n);
	buf_addc(&a, 'x');
	struct buf out;
	assert_fails(inflate_all(a.data, a.len, 5000, LAYER_GZIP, MIB, &out, err), ERR_CORRUPT,
		"compressed data");
	buf_clear(&out);
	buf_clear(&a);
	buf_clear(&b);
	buf_clear(&empty);

	/* zstd: two frames and a skippable one between */
	struct buf z = deflate_all(p, 100000, 5000, LAYER_ZSTD, 1);
	struct buf y = deflate_all(p + 100000, n - 100000, 5000, LAYER_ZSTD, 19);
	buf_add(&z, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
	buf_add(&z, y.data, y.len);
	for (size_t step = 1; step < 100000; step = step * 7 + 1)
		assert_inflates(z.data, z.len, step, LAYER_ZSTD, p, n);
	buf_addc(&z, 'x');
	assert_fails(inflate_all(z.data, z.len, 5000, LAYER_ZSTD, MIB, &out, err), ERR_CORRUPT,
		"compressed data");
	buf_clear(&out);
	buf_clear(&z);
	buf_clear(&y);
	free(p);
}

static void damage_is_an_error(void **state)
{
	(void)state;
	size_t n = 50000;
	unsigned char *p = sample(n);
	static const enum layer_compression kinds[] = {LAYER_GZIP, LAYER_ZSTD};
	for (size_t k = 0; k < 2; k++) {
		struct buf z = deflate_all(p, n, n, kinds[k], 0), out;
		for (size_t cut = 0; cut < z.len; cut += cut < 40 || cut + 60 > z.len ? 1 : 97) {
			assert_fails(inflate_all(z.data, cut, 4096, kinds[k], MIB, &out, err),
				ERR_CORRUPT, "unexpected end");
			buf_clear(&out);
		}
		/* every byte flipped in turn: an error or, in header fields that say nothing, the
		 * same */
		for (size_t i = 0; i < z.len; i += i < 40 || i + 60 > z.len ? 1 : 97) {
			z.data[i] = (char)(z.data[i] ^ 0x40);
			struct err *e = NULL;
			if (inflate_all(z.data, z.len, 4096, kinds[k], MIB, &out, &e) == 0) {
				assert_int_equal(out.len, n);
				assert_memory_equal(out.data, p, n);
			}
			err_free(e);
			buf_clear(&out);
			z.data[i] = (char)(z.data[i] ^ 0x40);
		}
		assert_fails(inflate_all("hello, world", 12, 5, kinds[k], MIB, &out, err),
			ERR_CORRUPT, "compressed data");
		buf_clear(&out);
		buf_clear(&z);
	}
	free(p);
}

static void bombs(void **state)
{
	(void)state;
	size_t n = 80 * MIB;
	unsigned char *zeros = mem_array(n, 1);
	struct buf out;
	static const enum layer_compression kinds[] = {LAYER_GZIP, LAYER_ZSTD};
	for (size_t k = 0; k < 2; k++) {
		/* zlib at level 9 goes past 1000:1, which isa-l does not */
		struct buf z = k ? deflate_all(zeros, n, MIB, kinds[k], 0) : zlib_gzip(zeros, n, 9);
		assert_fails(inflate_all(z.data, z.len, 4096, kinds[k], 1 << 30, &out, err),
			ERR_LIMIT, "1000 times");
		buf_clear(&out);
		assert_fails(inflate_all(z.data, z.len, 4096, kinds[k], MIB, &out, err), ERR_LIMIT,
			"more than 1048576 bytes");
		assert_true(out.len <= 2 * MIB);
		buf_clear(&out);
		buf_clear(&z);
	}
	free(zeros);
	/* a frame that wants a window of 2 GiB */
	static const unsigned char window[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00};
	assert_fails(inflate_all(window, sizeof window, 100, LAYER_ZSTD, MIB, &out, err),
		ERR_CORRUPT, "Frame requires too much memory");
	buf_clear(&out);
}

static void exactly_the_maximum_is_allowed(void **state)
{
	(void)state;
	unsigned char *p = sample(MIB);
	static const enum layer_compression kinds[] = {LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD};
	for (size_t k = 0; k < 3; k++) {
		struct buf z = deflate_all(p, MIB, MIB, kinds[k], 0), out;
		assert_ok(inflate_all(z.data, z.len, 4096, kinds[k], MIB, &out, err));
		buf_clear(&out);
		assert_fails(inflate_all(z.data, z.len, 4096, kinds[k], MIB - 1, &out, err),
			ERR_LIMIT, "when unpacked");
		buf_clear(&out);
		buf_clear(&z);
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(threads_do_not_show),
		cmocka_unit_test(copying),
		cmocka_unit_test(failing_writers),
		cmocka_unit_test(packings),
		cmocka_unit_test(gzip_is_one_plain_member),
		cmocka_unit_test(members_and_frames_follow_each_other),
		cmocka_unit_test(damage_is_an_error),
		cmocka_unit_test(bombs),
		cmocka_unit_test(exactly_the_maximum_is_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
