// SPDX-License-Identifier: Apache-2.0
/*
 * JSON from outside: limits that hold before the parser makes anything of it, types, and the words
 * for what is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "store/base/jsonx.h"
#include "store/base/mem.h"

static json_t *load(const char *s)
{
	struct err *e = NULL;
	json_t *j = jsonx_load(s, strlen(s), 1000, "doc", &e);

	if (e)
		fail_msg("%s", err_text(e));
	return j;
}

static void refused(const char *s, size_t n, size_t max, enum err_kind kind, const char *text)
{
	auto_err struct err *e = NULL;

	assert_null(jsonx_load(s, n, max, "doc", &e));
	assert_int_equal(kind, err_get_kind(e));
	assert_non_null(strstr(err_text(e), text));
}

static void test_load(void **state)
{
	(void)state;
	refused("{}", 2, 1, ERR_LIMIT, "doc: 2 bytes, the limit is 1");
	refused("{", 1, 10, ERR_CORRUPT, "doc: not valid JSON: line 1");
	refused("", 0, 10, ERR_CORRUPT, "not valid JSON");
	refused("{\"a\":1,\"a\":2}", 13, 99, ERR_CORRUPT, "duplicate");
	refused("{\"a\":\"\\u0000\"}", 14, 99, ERR_CORRUPT, "\\u0000");
	refused("{} x", 4, 99, ERR_CORRUPT, "end of file");
	refused("{\"a\":\"\xff\"}", 9, 99, ERR_CORRUPT, "byte 0xff");
	refused("{\"\x1b\":1}", 7, 99, ERR_CORRUPT, "not valid JSON");
	char deep[5000];
	memset(deep, '[', sizeof deep);
	refused(deep, sizeof deep, sizeof deep, ERR_CORRUPT, "depth");
}

/* 16 MiB of "{}," would be a tree of 1.3 GB: counted before, with less memory than the text has. */
static void test_many_values(void **state)
{
	static const char *const pieces[] = {"{},", "[],", "0,", "\"\",", "[[", "\"\\\"\","};
	size_t max = (size_t)16 << 20;
	char *text = mem_alloc(max);
	struct rlimit none, old;

	(void)state;
	getrlimit(RLIMIT_AS, &old);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		size_t len = strlen(pieces[i]), n = 1;

		text[0] = '[';
		for (; n + len + 3 < max && n / len < 3 * JSONX_VALUES_MAX; n += len)
			memcpy(text + n, pieces[i], len);
		memcpy(text + n, "1]", 2);
		none = old;
		none.rlim_cur = (rlim_t)512 << 20;
		setrlimit(RLIMIT_AS, &none);
		refused(text, n + 2, max, ERR_LIMIT, "doc: more than 500000 values");
		setrlimit(RLIMIT_AS, &old);
	}
	/* As many as there may be, commas and brackets in text not counted. */
	size_t n = 1;
	text[0] = '[';
	for (size_t i = 0; i + 3 < JSONX_VALUES_MAX; i++, n += 2)
		memcpy(text + n, "0,", 2);
	memcpy(text + n, "\",[{\\\",,\"]", 10);
	auto_json json_t *j = jsonx_load(text, n + 10, max, "doc", NULL);
	assert_non_null(j);
	free(text);
}

static void test_types(void **state)
{
	auto_json json_t *o = load(
		"{\"s\":\"x\",\"i\":-5,\"a\":[\"p\",\"q\"],\"o\":{},\"n\":null,\"m\":[\"p\",7]}");
	json_t *v = (json_t *)1;
	const char *s = "old";
	int64_t i = 1;
	struct strlist l = {0};
	struct digest d;
	struct err *e = NULL;

	(void)state;
	assert_int_equal(0, jsonx_string(o, "s", true, "c", &s, &e));
	assert_string_equal("x", s);
	assert_int_equal(0, jsonx_int(o, "i", true, "c", &i, &e));
	assert_int_equal(-5, i);
	assert_int_equal(0, jsonx_int(o, "gone", false, "c", &i, &e));
	assert_int_equal(-5, i);
	assert_int_equal(0, jsonx_object(o, "o", true, "c", &v, &e));
	assert_true(json_is_object(v));
	assert_int_equal(0, jsonx_object(o, "n", false, "c", &v, &e));
	assert_null(v);
	assert_int_equal(0, jsonx_strlist(o, "a", "c", &l, &e));
	assert_int_equal(2, l.n);
	assert_string_equal("q", l.v[1]);
	assert_int_equal(-1, jsonx_strlist(o, "m", "c", &l, &e));
	assert_string_equal("c.m[1]: expected string", err_text(e));
	assert_int_equal(2, l.n);
	err_free(TAKE(e));
	assert_int_equal(0, jsonx_strlist(o, "n", "c", &l, &e));
	assert_int_equal(0, l.n);
	assert_int_equal(-1, jsonx_string(o, "i", false, "c", &s, &e));
	assert_string_equal("c.i: expected string", err_text(e));
	err_free(TAKE(e));
	assert_int_equal(-1, jsonx_string(o, "gone", true, "", &s, &e));
	assert_string_equal("gone: missing", err_text(e));
	err_free(TAKE(e));
	assert_int_equal(-1, jsonx_int(o, "s", true, "c", &i, &e));
	err_free(TAKE(e));
	assert_int_equal(-1, jsonx_array(o, "o", true, "c", &v, &e));
	err_free(TAKE(e));
	assert_int_equal(-1, jsonx_object(o, "a", true, "c", &v, &e));
	err_free(TAKE(e));
	assert_int_equal(-1, jsonx_digest(o, "s", true, "c", &d, &e));
	assert_string_equal("c.s: not a sha256 digest", err_text(e));
	err_free(TAKE(e));
}

static void test_dump(void **state)
{
	size_t n;
	auto_json json_t *o = json_object();
	struct strlist l = {0};

	(void)state;
	strlist_add(&l, "p/q");
	strlist_add(&l, "\xff");
	jsonx_set_text(o, "z", "\xc3\xa4\x80");
	jsonx_set_text(o, "none", NULL);
	jsonx_set(o, "a\xff", json_integer(1));
	jsonx_set(o, "l", jsonx_from_strlist(&l));
	char *s = jsonx_dump(o, &n);
	assert_string_equal("{\"z\":\"\xc3\xa4\xef\xbf\xbd\",\"a\xef\xbf\xbd\":1,\"l\":[\"p/"
			    "q\",\"\xef\xbf\xbd\"]}",
		s);
	assert_int_equal(strlen(s), n);
	free(s);
	strlist_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_many_values),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_dump),
	};
	return cmocka_run_group_tests_name("jsonx", tests, NULL, NULL);
}
