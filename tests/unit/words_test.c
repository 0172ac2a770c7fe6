// SPDX-License-Identifier: Apache-2.0
/*
 * Words, sizes, durations and JSON lists by the table in tests/cases, and JSON of any depth and any
 * byte.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/words.h"
#include "tests/support/casefile.h"

static void print_words(FILE *f, const struct words_list *words)
{
	for (size_t i = 0; i < words->count; i++)
		fprintf(f, "[%.*s]", SLICE_ARG(words->items[i].text));
}

static void json(FILE *f, struct slice in, struct arena *arena)
{
	struct words_list words;
	const struct words_item *last;

	switch (words_json(in, arena, &words)) {
	case WORDS_JSON_NO:
		fputs("no", f);
		return;
	case WORDS_JSON_YES:
		print_words(f, &words);
		return;
	case WORDS_JSON_NOTSTRING:
		last = &words.items[words.count - 1];
		fprintf(f, "notstring %zu %.*s", last->off, (int)last->len, in.ptr + last->off);
		return;
	}
}

static void call(FILE *f, const char *fn, struct slice in, struct arena *arena)
{
	struct words_list words;
	uint64_t u = 0;
	int64_t i = 0;
	bool b = false, ok = false;

	if (!strcmp(fn, "json")) {
		json(f, in, arena);
		return;
	}
	if (!strcmp(fn, "blank") || !strncmp(fn, "quoted", 6)) {
		if (*fn == 'b')
			words_blank(in, arena, &words);
		else
			words_quoted(in, fn[6] ? fn[6] : '\\', arena, &words);
		print_words(f, &words);
		return;
	}
	if (!strcmp(fn, "size"))
		ok = words_size(in, &u);
	else if (!strcmp(fn, "octal"))
		ok = words_number(in, 8, 07777, &u);
	else if (!strcmp(fn, "decimal"))
		ok = words_number(in, 10, UINT32_MAX - 1, &u);
	else if (!strcmp(fn, "duration"))
		ok = words_duration(in, &i);
	else if (!strcmp(fn, "bool"))
		ok = words_bool(in, &b);
	if (!ok)
		fputs("no", f);
	else if (!strcmp(fn, "bool"))
		fputs(b ? "true" : "false", f);
	else if (!strcmp(fn, "duration"))
		fprintf(f, "%" PRId64, i);
	else
		fprintf(f, "%" PRIu64, u);
}

static void run_file(const char *path, void *ctx)
{
	size_t *rows = ctx;
	const char *fn = "";
	struct casefile c;
	int bad = 0;

	casefile_open(&c, path);
	while (casefile_next(&c)) {
		struct arena *arena;
		char *got = NULL;
		size_t len = 0;
		FILE *f;

		if (c.directive) {
			fn = c.field[1];
			continue;
		}
		assert_int_equal(c.count, 2);
		arena = arena_new();
		f = open_memstream(&got, &len);
		call(f, fn, slice_of(c.field[0]), arena);
		fclose(f);
		if (strcmp(got, c.field[1]) != 0) {
			print_error("%s:%zu: %s(%s)\n  want %s\n  got  %s\n", path, c.line, fn,
				c.field[0], c.field[1], got);
			bad++;
		}
		free(got);
		arena_free(arena);
		++*rows;
	}
	casefile_close(&c);
	assert_int_equal(bad, 0);
}

static void test_cases(void **state)
{
	size_t rows = 0;

	(void)state;
	casefile_each("tests/cases/words", ".txt", run_file, &rows);
	assert_true(rows >= 100);
}

static void test_json_depth(void **state)
{
	struct arena *arena = arena_new();
	char text[4096];
	struct words_list words;

	(void)state;
	/* The array itself and 100 more. */
	memset(text, '[', 101);
	memset(text + 101, ']', 101);
	assert_int_equal(
		words_json((struct slice){text, 202}, arena, &words), WORDS_JSON_NOTSTRING);
	memset(text, '[', 102);
	memset(text + 102, ']', 102);
	assert_int_equal(words_json((struct slice){text, 204}, arena, &words), WORDS_JSON_NO);
	memset(text, '[', sizeof text);
	assert_int_equal(
		words_json((struct slice){text, sizeof text}, arena, &words), WORDS_JSON_NO);
	arena_free(arena);
}

static void test_json_bytes(void **state)
{
	struct arena *arena = arena_new();
	struct words_list words;

	(void)state;
	/* Bad UTF-8 becomes U+FFFD, control characters are no JSON, \u0000 is kept for the caller
	 * to refuse. */
	assert_int_equal(words_json(SLICE("[\"a\xff\"]"), arena, &words), WORDS_JSON_YES);
	assert_true(slice_eq_str(words.items[0].text, "a\xef\xbf\xbd"));
	assert_int_equal(words_json(SLICE("[\"a\tb\"]"), arena, &words), WORDS_JSON_NO);
	assert_int_equal(words_json(SLICE("[\"a\\u0000b\"]"), arena, &words), WORDS_JSON_YES);
	assert_true(slice_eq(words.items[0].text, SLICE("a\0b")));
	assert_int_equal(words_json(SLICE("[\"ab\", \"c\"]"), arena, &words), WORDS_JSON_YES);
	assert_int_equal(words.items[1].off, 7);
	assert_int_equal(words.items[1].len, 3);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_json_depth),
		cmocka_unit_test(test_json_bytes),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
