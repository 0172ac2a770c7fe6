// SPDX-License-Identifier: Apache-2.0
/* Growth, the maximum, and what becomes of bytes that could control a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"

static void test_grow(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	assert_string_equal("", b.data);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(0, buf_addf(&b, "%03d,", i));
	assert_int_equal(4000, b.len);
	assert_int_equal(0, b.data[4000]);
	assert_memory_equal("999,", b.data + 3996, 4);
	buf_reset(&b);
	assert_int_equal(0, b.len);
	assert_string_equal("", b.data);
	buf_adds(&b, "ab");
	buf_addc(&b, 'c');
	buf_add(&b, "\0d", 2);
	assert_memory_equal("abc\0d", b.data, 6);
	char *p = buf_take(&b);
	assert_string_equal("abc", p);
	assert_null(b.data);
	free(p);
	buf_clear(&b);
}

static void test_max(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(0, buf_adds(&b, "12345"));
	assert_false(b.full);
	assert_int_equal(-1, buf_addc(&b, '6'));
	assert_true(b.full);
	assert_int_equal(-1, buf_adds(&b, ""));
	assert_string_equal("12345", b.data);
	buf_reset(&b);
	assert_int_equal(0, buf_addf(&b, "%s", "54321"));
	assert_int_equal(-1, buf_addf(&b, "%d", 1));
	buf_clear(&b);
	buf_init(&b, 0);
	assert_int_equal(0, buf_add(&b, "", 0));
	assert_int_equal(-1, buf_addc(&b, 'x'));
	buf_clear(&b);
}

static void escaped(const char *in, bool keep, const char *want)
{
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(0, buf_add_escaped(&b, in, strlen(in), keep));
	assert_string_equal(want, b.data);
	buf_clear(&b);
}

static void test_escape(void **state)
{
	(void)state;
	escaped("plain \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", false,
		"plain \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	escaped("a\nb\tc", false, "a\\x0ab\\x09c");
	escaped("a\nb\tc\r", true, "a\nb\tc\\x0d");
	escaped("\x1b[31m\x7f", false, "\\x1b[31m\\x7f");
	escaped("\xc2\x9b"
		"31m",
		false, "\\u{9b}31m");
	escaped("\xe2\x80\xae"
		"x\xe2\x81\xa6",
		false, "\\u{202e}x\\u{2066}");
	/* overlong, surrogate, above the range, cut off, lonely continuation */
	escaped("\xc0\xaf", false, "\\xc0\\xaf");
	escaped("\xe0\x80\x80", false, "\\xe0\\x80\\x80");
	escaped("\xed\xa0\x80", false, "\\xed\\xa0\\x80");
	escaped("\xf4\x90\x80\x80", false, "\\xf4\\x90\\x80\\x80");
	escaped("x\xe2\x82", false, "x\\xe2\\x82");
	escaped("\x80", false, "\\x80");
}

static void test_utf8(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(0, buf_add_utf8(&b, "a\xff\xc3\xa4\xc3", 5));
	assert_string_equal("a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd", b.data);
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_max),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_utf8),
	};
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
