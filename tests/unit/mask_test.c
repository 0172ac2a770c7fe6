// SPDX-License-Identifier: Apache-2.0
/*
 * Masking of secrets in a stream: plain, per line, in base64 and URL encoding; random streams cut
 * in every way against a slow search.
 */
#include "builder/secrets/mask.h"

#include <ctype.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/mem.h"

#define CANARY "canary-9f3c-do/not+keep me?"

static void collect(void *ctx, const void *p, size_t n)
{
	buf_add(ctx, p, n);
}

static struct mask *mask_of(const char *text)
{
	struct mask_value v = {text, strlen(text)};
	return mask_new(&v, 1, true);
}

/* Through the mask in pieces of `step` bytes (0: at once); owned. */
static char *masked(const struct mask *m, const char *text, size_t n, size_t step)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	auto_mask_stream struct mask_stream *s = mask_stream_new(m, collect, &b);
	for (size_t i = 0; i < n;) {
		size_t k = step && step < n - i ? step : n - i;
		mask_stream_feed(s, text + i, k);
		i += k;
	}
	mask_stream_end(s);
	return buf_take(&b);
}

static void check(const char *value, const char *in, const char *want)
{
	auto_mask struct mask *m = mask_of(value);

	for (size_t step = 0; step < 6; step++) {
		auto_free char *got = masked(m, in, strlen(in), step);
		assert_string_equal(got, want);
	}
}

static void test_plain(void **state)
{
	(void)state;
	check("secret-1", "secret-1", "***");
	check("secret-1\n", "a secret-1 b\n", "a *** b\n");
	check("secret-1", "secret-2 secret- secret-1secret-1", "secret-2 secret- ***");
	check("aaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaa", "***");
	check("aaaaaaaa", "aaaaaaa", "aaaaaaa");
	check("abababab", "abababacabababab", "abababac***");
	check("sesesesecret", "sesesesesesecret", "sese***");
	/* what is shorter than eight bytes is found everywhere */
	assert_null(mask_of("1234567"));
	assert_null(mask_of("1234567\n"));
	assert_null(mask_of(""));
}

static void test_lines(void **state)
{
	(void)state;
	check("secret-1", "secre\nt-1.", "***.");
	check("secret-1", "secre\r\nt-1.", "***.");
	check("secret-1", "secre\n\n\nt-1.", "secre\n\n\nt-1.");
	check("secret-1", "s\necret-1", "s\necret-1");
	check("first-line\nsecond-line\n", "first-line\nsecond-line\n", "***\n");
	check("first-line\nsecond-line\n", "x second-line\n", "x ***\n");
	check("first-line\nshort\n", "first-line, short", "***, short");
}

/* A line that begins nothing, or little, is not held back. */
static void test_prompt(void **state)
{
	auto_mask struct mask *m = mask_of("secret-1");
	auto_buf struct buf b;

	(void)state;
	buf_init(&b, BUF_TEXT_MAX);
	auto_mask_stream struct mask_stream *s = mask_stream_new(m, collect, &b);
	mask_stream_feed(s, "packages\n", 9);
	assert_string_equal(b.data, "packages\n");
	mask_stream_feed(s, "50%", 3);
	assert_string_equal(b.data, "packages\n50");
	mask_stream_feed(s, "\n", 1);
	assert_string_equal(b.data, "packages\n50%\n");
	mask_stream_feed(s, "secre", 5);
	assert_string_equal(b.data, "packages\n50%\n");
	mask_stream_feed(s, "!", 1);
	assert_string_equal(b.data, "packages\n50%\nsecre!");
}

static char *base64(const char *text, size_t n, bool url, bool pad, size_t fold)
{
	const char *set = url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
			      : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf b;
	size_t len = 0;

	buf_init(&b, BUF_TEXT_MAX);
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(uint8_t)text[i] << 16;
		v |= i + 1 < n ? (unsigned)(uint8_t)text[i + 1] << 8 : 0U;
		v |= i + 2 < n ? (unsigned)(uint8_t)text[i + 2] : 0U;
		for (size_t k = 0; k < 4; k++) {
			if (k > n - i && !pad)
				break;
			buf_addc(&b, k > n - i ? '=' : set[v >> (18 - 6 * k) & 63]);
			if (fold && ++len % fold == 0)
				buf_addc(&b, '\n');
		}
	}
	return buf_take(&b);
}

/* What is left beside the mask: at most one character at the front (with bits of the value), and
 * at the end one and the padding. */
static void check_base64(const struct mask *m, const char *before, const char *after, unsigned how)
{
	auto_free char *all = mem_printf("%s%s%s", before, CANARY, after);
	auto_free char *code = base64(all, strlen(all), how & 1, how & 2, how & 4 ? 8 : 0);

	for (size_t step = 0; step < 4; step++) {
		auto_free char *got = masked(m, code, strlen(code), step);
		const char *at = strstr(got, MASK_TEXT);
		assert_non_null(at);
		assert_null(strstr(at + 3, MASK_TEXT));
		size_t front = (size_t)(at - got), back = strlen(at + 3);
		size_t folds = how & 4 ? 2 : 0;
		assert_true(front <= (strlen(before) * 8 + 5) / 6 + folds);
		assert_true(back <= (strlen(after) + 2) / 3 * 4 + 4 + folds);
	}
	struct mask_search *s = mask_search_new(m);
	assert_int_equal(mask_search_feed(s, code, strlen(code)), 0);
	mask_search_free(s);
}

static void test_base64(void **state)
{
	static const char *const before[] = {"", "u", "u:", "u:p", "user:pa", "token="};
	static const char *const after[] = {"", "\n", "xy", "xyz", "@host/path"};
	auto_mask struct mask *m = mask_of(CANARY "\n");

	(void)state;
	for (size_t b = 0; b < ARRAY_LEN(before); b++)
		for (size_t a = 0; a < ARRAY_LEN(after); a++)
			for (unsigned how = 0; how < 8; how++)
				check_base64(m, before[b], after[a], how);
}

static char *percent(const char *text, const char *keep, const char *format, bool plus)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	for (; *text; text++) {
		if (plus && *text == ' ')
			buf_addc(&b, '+');
		else if (strchr(keep, *text) || (isalnum((unsigned char)*text) && *keep))
			buf_addc(&b, *text);
		else
			buf_addf(&b, *format == 'x' ? "%%%02x" : "%%%02X", (uint8_t)*text);
	}
	return buf_take(&b);
}

static void test_url(void **state)
{
	static const char *const keep[] = {"-_.~", "", "-_.~/", "-_.~/:+"};
	auto_mask struct mask *m = mask_of(CANARY);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keep) * 4; i++) {
		auto_free char *code =
			percent(CANARY, keep[i / 4], i & 1 ? "x" : "X", (i & 2) && i / 4 != 3);
		auto_free char *in = mem_printf("https://u:%s@host/%%zz", code);
		for (size_t step = 0; step < 5; step++) {
			auto_free char *got = masked(m, in, strlen(in), step);
			assert_string_equal(got, "https://u:***@host/%zz");
		}
	}
	check("100%sure-", "100%sure- 100%25sure-", "*** ***");
	check("secret-1", "%73ecret-1% %7 %", "***% %7 %");
	check("secret-1", "%2573ecret-1", "%2573ecret-1");
	check("secret-1", "secret-%", "secret-%");
	/* base64 in a URL */
	check("secret~??", "x=c2VjcmV0fj8%2F.", "x=***.");
}

static void test_several(void **state)
{
	struct mask_value v[] = {
		{"xabcdefghy", 10}, {"short", 5}, {"abcdefgh", 8}, {"defghijklm", 10}};
	auto_mask struct mask *m = mask_new(v, 4, false);

	(void)state;
	auto_free char *got = masked(m, "xabcdefghz abcdefghijklm short", 30, 1);
	assert_string_equal(got, "x***z *** short");
	auto_mask_search struct mask_search *s = mask_search_new(m);
	assert_int_equal(mask_search_feed(s, "xabcdef", 7), -1);
	assert_int_equal(mask_search_feed(s, "ghz", 3), 2);
	assert_int_equal(mask_search_feed(s, "defghij", 7), -1);
	mask_search_reset(s);
	assert_int_equal(mask_search_feed(s, "klm", 3), -1);
	assert_int_equal(mask_search_feed(s, "defghijklm", 10), 3);
}

static void test_large(void **state)
{
	size_t n = (size_t)500 << 10;
	auto_free char *text = mem_alloc(n + 1);
	struct mask_value v = {text, n};

	(void)state;
	srand(1);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(i % 70 == 69 ? '\n' : 'a' + rand() % 26);
	auto_mask struct mask *m = mask_new(&v, 1, true);
	auto_free char *got = masked(m, text, n, 65536);
	assert_int_equal(strspn(got, "*\n"), strlen(got));
}

/* What the mask must write, by a search that looks at every place. */
static char *slowly(const char *value, const char *in, size_t n)
{
	size_t len = strlen(value);
	auto_free bool *hide = mem_alloc(n + 1);
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	for (size_t i = 0; i + len <= n; i++)
		if (memcmp(in + i, value, len) == 0)
			memset(hide + i, 1, len);
	for (size_t i = 0; i < n; i++) {
		if (!hide[i])
			buf_addc(&b, in[i]);
		else if (i == 0 || !hide[i - 1])
			buf_adds(&b, MASK_TEXT);
	}
	return buf_take(&b);
}

/* The same for every way of cutting the stream, and what a slow search finds. */
static void test_random(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 3000; round++) {
		char value[16] = {0}, in[200];
		size_t n = (size_t)(rand() % 200);
		bool wild = round % 2;
		for (size_t i = 0; i < 8 + (size_t)(rand() % 7); i++)
			value[i] = (char)(wild ? "a%2\n+1"[rand() % 6] : "ab"[rand() % 2]);
		for (size_t i = 0; i < n; i++)
			in[i] = (char)(wild ? "a%2\n+1=\r"[rand() % 8] : "ab"[rand() % 2]);
		auto_mask struct mask *m = mask_of(value);
		if (!m)
			continue;
		auto_free char *once = masked(m, in, n, 0);
		auto_free char *cut = masked(m, in, n, 1 + (size_t)(rand() % 9));
		assert_string_equal(once, cut);
		auto_free char *slow = slowly(value, in, n);
		if (!wild)
			assert_string_equal(once, slow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
