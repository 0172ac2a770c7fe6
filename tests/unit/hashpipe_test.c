// SPDX-License-Identifier: Apache-2.0
/* Streams of every size around the blocks, contents at every place in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/base/hashpipe.h"
#include "store/base/mem.h"

struct sink {
	unsigned char *p;
	size_t n;
	size_t fail_at; /* 0 = never */
};

static int take(void *ctx, const void *p, size_t n, struct err **err)
{
	struct sink *s = ctx;

	if (s->fail_at && s->n + n >= s->fail_at)
		return err_set(err, ERR_SYS, "full");
	memcpy(s->p + s->n, p, n);
	s->n += n;
	return 0;
}

static unsigned char *noise(size_t n)
{
	unsigned char *p = mem_alloc(n + 1);
	uint32_t x = 7;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (unsigned char)(x >> 24);
	}
	return p;
}

static void test_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 511, HASHPIPE_BLOCK - 1, HASHPIPE_BLOCK,
		HASHPIPE_BLOCK + 1, 3 * HASHPIPE_BLOCK, 20 * HASHPIPE_BLOCK + 77,
		60 * HASHPIPE_BLOCK + 77};
	size_t max = 61 * HASHPIPE_BLOCK;
	unsigned char *data = noise(max);
	struct sink s = {.p = mem_alloc(max)};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct digest want, got;
		s.n = 0;
		auto_hashpipe struct hashpipe *p =
			hashpipe_new((struct io_writer){.write = take, .ctx = &s}, true);
		assert_int_equal(hashpipe_put(p, data, sizes[i] / 3, NULL), 0);
		assert_int_equal(
			hashpipe_put(p, data + sizes[i] / 3, sizes[i] - sizes[i] / 3, NULL), 0);
		assert_int_equal(hashpipe_finish(p, NULL, NULL), 0);
		assert_int_equal(s.n, sizes[i]);
		assert_int_equal(hashpipe_finish(p, &got, NULL), 0);
		sha256_of(data, sizes[i], &want);
		assert_memory_equal(&want, &got, sizeof want);
		assert_memory_equal(s.p, data, sizes[i]);
		assert_null(hashpipe_wrong(p));
	}
	free(s.p);
	free(data);
}

/* Pieces of pseudo-random lengths, every second one a content. */
static void contents(bool whole, bool spoil)
{
	enum { N = 3000 };
	size_t max = 0, at = 0;
	size_t len[N];
	struct digest got[N], want[N], all, all_want;

	for (size_t i = 0; i < N; i++)
		max += len[i] =
			i % 700 == 699 ? (size_t)2500001 : i * 7919 % 9973 / (1 + i % 5 * 60);
	unsigned char *data = noise(max);
	struct sink s = {.p = mem_alloc(max)};
	auto_hashpipe struct hashpipe *p =
		hashpipe_new((struct io_writer){.write = take, .ctx = &s}, whole);
	for (size_t i = 0; i < N; i++) {
		sha256_of(data + at, len[i], &want[i]);
		if (spoil && i == 1501)
			want[i].b[3] ^= 1;
		if (i % 2)
			hashpipe_begin(p);
		assert_int_equal(hashpipe_put(p, data + at, len[i], NULL), 0);
		if (i % 2)
			hashpipe_end(p, i % 3 ? &got[i] : NULL, i % 4 ? &want[i] : NULL);
		at += len[i];
	}
	assert_int_equal(hashpipe_finish(p, &all, NULL), 0);
	assert_ptr_equal(hashpipe_wrong(p), spoil ? &want[1501] : NULL);
	assert_int_equal(s.n, max);
	assert_memory_equal(s.p, data, max);
	for (size_t i = 1; i < N; i += 2)
		if (i % 3 && !(spoil && i == 1501))
			assert_memory_equal(&got[i], &want[i], sizeof *got);
	sha256_of(data, max, &all_want);
	if (whole)
		assert_memory_equal(&all, &all_want, sizeof all);
	free(s.p);
	free(data);
}

static void test_contents(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		contents(i & 1, i & 2);
}

static void test_failure(void **state)
{
	unsigned char *data = noise(22 * HASHPIPE_BLOCK);
	struct sink s = {.p = mem_alloc(22 * HASHPIPE_BLOCK), .fail_at = 15 * HASHPIPE_BLOCK};
	struct err *e = NULL;

	(void)state;
	auto_hashpipe struct hashpipe *p =
		hashpipe_new((struct io_writer){.write = take, .ctx = &s}, true);
	assert_int_equal(hashpipe_put(p, data, 22 * HASHPIPE_BLOCK, &e), -1);
	assert_string_equal(err_text(e), "full");
	err_free(e);
	assert_int_equal(hashpipe_put(p, data, HASHPIPE_BLOCK, NULL), -1);
	assert_int_equal(hashpipe_finish(p, NULL, NULL), -1);
	assert_int_equal(s.n, 14 * HASHPIPE_BLOCK);
	free(s.p);
	free(data);
}

/* Given up while blocks wait to be hashed. */
static void test_given_up(void **state)
{
	unsigned char *data = noise(17 * HASHPIPE_BLOCK);
	struct sink s = {.p = mem_alloc(17 * HASHPIPE_BLOCK)};

	(void)state;
	for (size_t n = 0; n < 17 * HASHPIPE_BLOCK; n += HASHPIPE_BLOCK / 2) {
		s.n = 0;
		struct hashpipe *p =
			hashpipe_new((struct io_writer){.write = take, .ctx = &s}, true);
		hashpipe_begin(p);
		assert_int_equal(hashpipe_put(p, data, n, NULL), 0);
		hashpipe_free(p);
	}
	hashpipe_free(NULL);
	free(s.p);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
