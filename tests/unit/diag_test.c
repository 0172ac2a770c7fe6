// SPDX-License-Identifier: Apache-2.0
/*
 * Diagnostics as text and JSON, compared as a whole: excerpts, columns, hostile bytes, long lines,
 * suggestions, and logins in URLs, which are not shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/diag.h"
#include "parser/source.h"
#include "parser/urlsecret.h"
#include "parser/suggest.h"

static void collect(void *ctx, struct slice bytes)
{
	fwrite(bytes.ptr, 1, bytes.len, ctx);
}

/* The rendering of a diagnostic in a source; free() it. */
static char *render(struct slice name, struct slice text, const struct diag *d)
{
	struct arena *arena = arena_new();
	struct source source;
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	source_init(&source, arena, name, text);
	diag_render_text(&source, d, collect, f);
	fclose(f);
	arena_free(arena);
	return out;
}

static void expect(struct slice text, struct diag d, const char *want)
{
	char *got = render(SLICE("Dockerfile"), text, &d);

	assert_string_equal(got, want);
	free(got);
}

static struct diag at(size_t off, size_t len)
{
	return (struct diag){
		.severity = DIAG_ERROR, .rule = "r", .span = {off, len}, .message = SLICE("m")};
}

static void test_excerpt(void **state)
{
	struct slice text = SLICE("one\ntwo\nthree\nfour\n");

	(void)state;
	expect(text, at(8, 5),
		"Dockerfile:3:1: error: m\n    1 | one\n    2 | two\n    3 | three\n      | "
		"^~~~~\n");
	expect(text, at(0, 1), "Dockerfile:1:1: error: m\n    1 | one\n      | ^\n");
	expect(text, at(17, 2),
		"Dockerfile:4:4: error: m\n    2 | two\n    3 | three\n    4 | four\n      |    "
		"^\n");
	/* At the very end, and past it. */
	expect(SLICE("ab"), at(2, 0), "Dockerfile:1:3: error: m\n    1 | ab\n      |   ^\n");
	expect(SLICE("ab"), at(99, 9), "Dockerfile:1:3: error: m\n    1 | ab\n      |   ^\n");
	expect(SLICE(""), at(0, 0), "Dockerfile:1:1: error: m\n");
	/* A span over several lines is marked on its first one. */
	expect(SLICE("ab\ncd\n"), at(1, 4), "Dockerfile:1:2: error: m\n    1 | ab\n      |  ^\n");
}

static void test_columns(void **state)
{
	(void)state;
	/* Columns count characters; tabs are repeated under the line, wide characters take two
	 * places. */
	expect(SLICE("h\xc3\xa9 x"), at(4, 1),
		"Dockerfile:1:4: error: m\n    1 | h\xc3\xa9 x\n      |    ^\n");
	expect(SLICE("\ta b"), at(3, 1),
		"Dockerfile:1:4: error: m\n    1 | \ta b\n      | \t  ^\n");
	expect(SLICE("\xe4\xb8\xad x"), at(4, 1),
		"Dockerfile:1:3: error: m\n    1 | \xe4\xb8\xad x\n      |    ^\n");
	expect(SLICE("\xef\xbb\xbfRUN"), at(3, 3),
		"Dockerfile:1:1: error: m\n    1 | RUN\n      | ^~~\n");
	expect(SLICE("a\r\nb\r\n"), at(3, 1),
		"Dockerfile:2:1: error: m\n    1 | a\n    2 | b\n      | ^\n");
}

static void test_hostile_text(void **state)
{
	struct diag d = at(1, 1);

	(void)state;
	/* Escape sequences, bad bytes and direction marks never reach the terminal. */
	expect(SLICE("\x1b[2J\xff\xe2\x80\xaez"), at(8, 1),
		"Dockerfile:1:7: error: m\n    1 | \\x1b[2J\\xff\\u{202e}z\n"
		"      |                    ^\n");
	d.message = SLICE("bad \"\x1b]0;x\a\"\n\x7f\xc2\x9b");
	d.hint = SLICE("\r");
	expect(SLICE("ab"), d,
		"Dockerfile:1:2: error: bad \"\\x1b]0;x\\x07\"\\n\\x7f\\x9b\n    1 | ab\n"
		"      |  ^\n   = help: \\r\n");
	{
		struct diag simple = at(0, 1);
		char *got = render(SLICE("a\x1b\n"), SLICE("x"), &simple);

		assert_string_equal(got, "a\\x1b\\n:1:1: error: m\n    1 | x\n      | ^\n");
		free(got);
	}
}

static void test_long_line(void **state)
{
	char text[1001];
	struct diag d = at(500, 3);
	char *got;

	(void)state;
	memset(text, 'a', 1000);
	memcpy(text + 500, "XYZ", 3);
	text[1000] = '\0';
	got = render(SLICE("f"), slice_of(text), &d);
	assert_true(strlen(got) < 400);
	assert_true(strstr(got, "f:1:501: error: m\n    1 | ...aaa") == got);
	/* The mark stands under the word. */
	{
		char *word = strstr(got, "XYZ"), *mark = strchr(got, '^');
		char *word_line = strstr(got, "    1 |"), *mark_line = strstr(got, "      |");

		assert_int_equal(word - word_line, mark - mark_line);
		assert_memory_equal(mark, "^~~\n", 4);
	}
	free(got);
}

static void test_notes(void **state)
{
	struct slice notes[] = {SLICE("expanded from \"$X\""), SLICE("second")};
	struct diag d = at(0, 1);

	(void)state;
	d.severity = DIAG_WARNING;
	d.notes = notes;
	d.nnotes = 2;
	d.hint = SLICE("h");
	expect(SLICE("x"), d,
		"Dockerfile:1:1: warning: m\n    1 | x\n      | ^\n   = expanded from \"$X\"\n"
		"   = second\n   = help: h\n");
}

static void test_json(void **state)
{
	char *got = NULL;
	size_t len;
	FILE *f = open_memstream(&got, &len);

	(void)state;
	diag_render_json_string(SLICE("q\"\\\n\t\x01\xff\xe2\x80\xae"), collect, f);
	fclose(f);
	assert_string_equal(got, "\"q\\\"\\\\\\n\\t\\u0001\xef\xbf\xbd\\u202e\"");
	free(got);
}

static void test_list(void **state)
{
	struct arena *arena = arena_new();
	struct diag_list list;
	struct span here = {5, 1}, before = {1, 1};

	(void)state;
	diag_list_init(&list, arena);
	assert_non_null(diag_list_add(&list, DIAG_WARNING, "w", here, "%s", "late warning"));
	assert_non_null(diag_list_add(&list, DIAG_ERROR, "e", here, "%s", "late error"));
	assert_non_null(diag_list_add(&list, DIAG_ERROR, "e", before, "%s", "early"));
	diag_list_sort(&list);
	assert_true(slice_eq_str(list.items[0].message, "early"));
	assert_true(slice_eq_str(list.items[1].message, "late error"));
	assert_true(slice_eq_str(list.items[2].message, "late warning"));
	for (size_t i = list.count; i < DIAG_LIST_MAX; i++)
		assert_non_null(diag_list_add(&list, DIAG_ERROR, "e", here, "%zu", i));
	assert_int_equal(list.items[DIAG_LIST_MAX - 1].nnotes, 0);
	assert_null(diag_list_add(&list, DIAG_ERROR, "e", here, "one more"));
	assert_null(diag_list_add(&list, DIAG_WARNING, "e", here, "and more"));
	assert_int_equal(list.count, DIAG_LIST_MAX);
	assert_int_equal(list.errors, DIAG_LIST_MAX);
	assert_int_equal(list.warnings, 2);
	assert_true(slice_eq_str(
		list.items[DIAG_LIST_MAX - 1].notes[0], "more was found and is not shown"));
	arena_free(arena);
}

static void test_suggest(void **state)
{
	static const char *const names[] = {"COPY", "CMD", "ENV", "HEALTHCHECK", "RUN"};

	(void)state;
	assert_string_equal(suggest_nearest(SLICE("COPPY"), names, 5), "COPY");
	assert_string_equal(suggest_nearest(SLICE("copy"), names, 5), "COPY");
	assert_string_equal(suggest_nearest(SLICE("OCPY"), names, 5), "COPY");
	assert_string_equal(suggest_nearest(SLICE("RN"), names, 5), "RUN");
	assert_string_equal(suggest_nearest(SLICE("HEALTCHEK"), names, 5), "HEALTHCHECK");
	assert_null(suggest_nearest(SLICE("FOO"), names, 5));
	assert_null(suggest_nearest(SLICE("X"), names, 5));
	assert_null(suggest_nearest(SLICE(""), names, 5));
	assert_null(
		suggest_nearest(SLICE("HEALTHCHECKHEALTHCHECKHEALTHCHECKHEALTHCHECK"), names, 5));
}

static void test_url_secrets(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{"ADD https://u:p@h/x /", "ADD https://***@h/x /"},
		{"HTTP://tok@h", "HTTP://***@h"},
		{"https://h/u:p@x?y=z", "https://h/u:p@x?y=z"},
		{"ssh://git@h/x ssh://git:pw@h/x", "ssh://git@h/x ssh://git:**@h/x"},
		{"http://h/?token=abc&x=1&Access_Token=de#f",
			"http://h/?token=***&x=1&Access_Token=**#f"},
		{"http://h/?X-Amz-Signature=0;sig=1&key=2&monkey=3",
			"http://h/?X-Amz-Signature=*;sig=*&key=*&monkey=3"},
		{"http://h/?token=&sig&=x", "http://h/?token=&sig&=x"},
		{"http://h/#?token=x", "http://h/#?token=x"},
		{"a?token=x", "a?token=x"},
		{"\"http://h/?token=x\",'http://h/?sig=y'",
			"\"http://h/?token=*\",'http://h/?sig=*'"},
		{"http://", "http://"},
		{"://@", "://@"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char text[128];

		snprintf(text, sizeof text, "%s", t[i].in);
		urlsecret_blank(text, strlen(text));
		if (strcmp(text, t[i].out) != 0)
			fail_msg("%s\n gave %s", t[i].in, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url_secrets),
		cmocka_unit_test(test_excerpt),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_suggest),
	};

	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
