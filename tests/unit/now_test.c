// SPDX-License-Identifier: Apache-2.0
/* Times as text and back: RFC 3339 and HTTP dates, and that the clocks move on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/base/now.h"

static void test_rfc3339(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} t[] = {
		{0, "1970-01-01T00:00:00Z"},
		{951782400, "2000-02-29T00:00:00Z"},
		{1709251199, "2024-02-29T23:59:59Z"},
		{4107542400, "2100-03-01T00:00:00Z"},
		{-1, "1969-12-31T23:59:59Z"},
		{253402300799, "9999-12-31T23:59:59Z"},
		{-62167219200, "0000-01-01T00:00:00Z"},
		{1795378576, "2026-11-22T20:16:16Z"},
	};
	char out[NOW_RFC3339];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		assert_string_equal(t[i].text, now_rfc3339(t[i].s, out));
		assert_int_equal(0, now_parse_rfc3339(t[i].text, &back));
		assert_true(back == t[i].s);
	}
	assert_string_equal("9999-12-31T23:59:59Z", now_rfc3339(INT64_MAX, out));
	assert_string_equal("0000-01-01T00:00:00Z", now_rfc3339(INT64_MIN, out));
}

static void test_parse(void **state)
{
	static const char *const bad[] = {"", "2024", "2024-13-01T00:00:00Z",
		"2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00",
		"2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00+1:00",
		"24-01-01T00:00:00Z", "2024-01-01T00:00:00+00:60", "2024-1-1T00:00:00Z"};
	int64_t v = 5;

	(void)state;
	assert_int_equal(0, now_parse_rfc3339("1970-01-01T01:30:00.123456789+01:00", &v));
	assert_true(v == 1800);
	assert_int_equal(0, now_parse_rfc3339("1969-12-31t23:00:00-01:30", &v));
	assert_true(v == 1800);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(-1, now_parse_rfc3339(bad[i], &v));
	assert_true(v == 1800);
}

static void test_http(void **state)
{
	static const char *const bad[] = {"", "Sun, 06 Nov 1994 08:49:37 GM",
		"Sun, 06 Nox 1994 08:49:37 GMT", "Sux, 06 Nov 1994 08:49:37 GMT",
		"Sun, 36 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
		"Sunday, 06-Nov-94 08:49:37 GMT"};
	int64_t v;

	(void)state;
	assert_int_equal(0, now_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &v));
	assert_true(v == 784111777);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(-1, now_parse_http_date(bad[i], &v));
}

static void test_clocks(void **state)
{
	char id[64];

	(void)state;
	assert_true(now_seconds() > 1600000000);
	uint64_t a = now_monotonic_ms();
	assert_true(now_monotonic_ms() >= a);
	now_boot_id(id, sizeof id);
	assert_int_equal(36, strlen(id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_clocks),
	};
	return cmocka_run_group_tests_name("now", tests, NULL, NULL);
}
