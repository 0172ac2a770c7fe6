// SPDX-License-Identifier: Apache-2.0
/*
 * Every implementation this machine has, held against libcrypto at lengths around the blocks and in
 * pieces of every kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/sha256.h"

#define SIZE 70000

static unsigned char *noise(void)
{
	unsigned char *p = malloc(SIZE);
	uint32_t x = 12345;

	assert_non_null(p);
	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (unsigned char)(x >> 24);
	}
	return p;
}

static void judge(const void *p, size_t n, struct digest *out)
{
	assert_int_equal(1, EVP_Digest(p, n, out->b, NULL, EVP_sha256(), NULL));
}

static void by_all(const void *p, size_t n)
{
	struct digest want, got;

	judge(p, n, &want);
	sha256_of(p, n, &got);
	assert_memory_equal(&want, &got, sizeof want);
	assert_true(sha256_of_by(SHA256_BY_C, p, n, &got));
	assert_memory_equal(&want, &got, sizeof want);
	/* This test is linked with OpenSSL, so it is there. */
	memset(&got, 0, sizeof got);
	assert_true(sha256_of_by(SHA256_BY_OPENSSL, p, n, &got));
	assert_memory_equal(&want, &got, sizeof want);
	if (sha256_of_by(SHA256_BY_CPU, p, n, &got))
		assert_memory_equal(&want, &got, sizeof want);
}

static void test_lengths(void **state)
{
	unsigned char *p = noise();

	(void)state;
	for (size_t n = 0; n < 700; n++)
		by_all(p, n);
	for (size_t n = SIZE - 70; n < SIZE; n++)
		by_all(p + 1, n - 1);
	free(p);
}

static void test_large(void **state)
{
	size_t n = ((size_t)1 << 20) + 3;
	unsigned char *p = calloc(n, 1);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * i >> 7);
	by_all(p, n - 3);
	by_all(p + 3, n - 3);
	by_all(p, n);
	free(p);
}

static void test_chunks(void **state)
{
	unsigned char *p = noise();
	struct digest want, got;
	uint32_t x = 7;

	(void)state;
	judge(p, SIZE, &want);
	for (int round = 0; round < 200; round++) {
		struct sha256 s;
		size_t most = 1 + (size_t)round * 3, done = 0;
		sha256_init(&s);
		while (done < SIZE) {
			x = x * 1664525 + 1013904223;
			size_t n = (x >> 8) % (most + 1);
			n = n > SIZE - done ? SIZE - done : n;
			sha256_update(&s, p + done, n);
			done += n;
		}
		sha256_final(&s, &got);
		assert_memory_equal(&want, &got, sizeof want);
	}
	free(p);
}

/* One stretch of bytes into two hashes that have had different beginnings. */
static void test_two(void **state)
{
	unsigned char *p = noise();

	(void)state;
	for (size_t na = 0; na < 200; na += 7)
		for (size_t nb = na % 3; nb < 300; nb += na == 64 ? 64 : 41)
			for (size_t n = 0; n < 1000; n += 37) {
				struct sha256 a, b;
				struct digest got, want;
				sha256_init(&a);
				sha256_init(&b);
				sha256_update(&a, p + 1000, na);
				sha256_update(&b, p + 2000, nb);
				sha256_update2(&a, &b, p + 1000 + na, n);
				sha256_final(&a, &got);
				judge(p + 1000, na + n, &want);
				assert_memory_equal(&want, &got, sizeof want);
				memcpy(p + 30000, p + 2000, nb);
				memcpy(p + 30000 + nb, p + 1000 + na, n);
				sha256_final(&b, &got);
				judge(p + 30000, nb + n, &want);
				assert_memory_equal(&want, &got, sizeof want);
			}
	free(p);
}

static void test_known(void **state)
{
	char hex[DIGEST_HEX], text[DIGEST_STRING];
	struct digest d, back;

	(void)state;
	sha256_of("abc", 3, &d);
	assert_string_equal(sha256_hex(&d, hex),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(sha256_string(&d, text),
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(0, sha256_parse_string(text, &back));
	assert_true(sha256_equal(&d, &back));
	sha256_of("", 0, &d);
	assert_string_equal(sha256_hex(&d, hex),
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = {"", "sha256:", "sha512:00",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
		"sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag",
		"sha256:../816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
	struct digest d = {{7}}, same = d;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(-1, sha256_parse_string(bad[i], &d));
	assert_true(sha256_equal(&d, &same));
	assert_false(sha256_is_zero(&d));
}

static void fields(struct digest *out, const char *a, const char *b)
{
	struct sha256 s;

	sha256_init(&s);
	sha256_field_str(&s, a);
	sha256_field_str(&s, b);
	sha256_final(&s, out);
}

static void test_fields_differ(void **state)
{
	static const char *const pairs[][2] = {{"ab", "c"}, {"a", "bc"}, {"", "abc"}, {"abc", ""},
		{NULL, "abc"}, {"abc", NULL}, {NULL, NULL}, {"", NULL}, {NULL, ""}, {"", ""}};
	enum { N = sizeof pairs / sizeof *pairs };
	struct digest d[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		fields(&d[i], pairs[i][0], pairs[i][1]);
		for (int j = 0; j < i; j++)
			assert_false(sha256_equal(&d[i], &d[j]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_fields_differ),
	};
	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
