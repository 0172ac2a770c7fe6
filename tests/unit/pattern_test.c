// SPDX-License-Identifier: Apache-2.0
/*
 * Patterns by the table in tests/cases, those that make a backtracking matcher stand still, and the
 * two ways of walking one against each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/pattern.h"
#include "tests/support/casefile.h"

static const char *result_name(enum pattern_result r)
{
	switch (r) {
	case PATTERN_BAD:
		return "bad";
	case PATTERN_NO:
		return "no";
	case PATTERN_YES:
		return "yes";
	}
	return "";
}

static void run_file(const char *path, void *ctx)
{
	size_t *rows = ctx;
	struct casefile c;
	bool prefix = false;
	int bad = 0;

	casefile_open(&c, path);
	while (casefile_next(&c)) {
		struct slice pattern;
		char got[100], want[100];

		if (c.directive) {
			prefix = !strcmp(c.field[1], "prefix");
			continue;
		}
		assert_int_equal(c.count, 3);
		pattern = slice_of(c.field[0]);
		if (prefix) {
			snprintf(got, sizeof got, "%zu %s", pattern_literal_prefix(pattern),
				pattern_has_wildcard(pattern) ? "yes" : "no");
			snprintf(want, sizeof want, "%s %s", c.field[1], c.field[2]);
		} else {
			snprintf(got, sizeof got, "%s",
				result_name(pattern_match(pattern, slice_of(c.field[1]))));
			snprintf(want, sizeof want, "%s", c.field[2]);
		}
		if (strcmp(got, want) != 0) {
			print_error("%s:%zu: %s %s: want %s, got %s\n", path, c.line, c.field[0],
				c.field[1], want, got);
			bad++;
		}
		++*rows;
	}
	casefile_close(&c);
	assert_int_equal(bad, 0);
}

static void test_cases(void **state)
{
	size_t rows = 0;

	(void)state;
	casefile_each("tests/cases/pattern", ".txt", run_file, &rows);
	assert_true(rows >= 60);
}

/* A pattern that takes a backtracking matcher longer than the age of the world. */
static void test_many_stars(void **state)
{
	char pattern[4001], name[2001];

	(void)state;
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[4000] = '\0';
	memset(name, 'a', 2000);
	name[2000] = '\0';
	assert_int_equal(pattern_match(slice_of(pattern), slice_of(name)), PATTERN_YES);
	name[1999] = 'b';
	assert_int_equal(pattern_match(slice_of(pattern), slice_of(name)), PATTERN_NO);
}

static void test_bytes(void **state)
{
	(void)state;
	/* A bad byte is one character, equal only to itself; NUL is an ordinary character. */
	assert_int_equal(pattern_match(SLICE("a?b"), SLICE("a\xff"
							   "b")),
		PATTERN_YES);
	assert_int_equal(pattern_match(SLICE("\xff"), SLICE("\xff")), PATTERN_YES);
	assert_int_equal(pattern_match(SLICE("\xff"), SLICE("\xfe")), PATTERN_NO);
	assert_int_equal(pattern_match(SLICE("\xff"), SLICE("\xef\xbf\xbd")), PATTERN_NO);
	assert_int_equal(pattern_match(SLICE("a*"), SLICE("a\0b")), PATTERN_YES);
	assert_int_equal(pattern_match(SLICE("a"), SLICE("a\0")), PATTERN_NO);
}

/* One compiled pattern, the three questions. */
static void test_questions(void **state)
{
	struct pattern *p = pattern_new(SLICE("a/*/c"), PATTERN_IGNORE);

	(void)state;
	assert_non_null(p);
	assert_true(pattern_test(p, SLICE("a/b/c")));
	assert_false(pattern_test(p, SLICE("a/b/c/d")));
	assert_true(pattern_test_parents(p, SLICE("a/b/c")));
	assert_true(pattern_test_parents(p, SLICE("a/b/c/d/e")));
	assert_false(pattern_test_parents(p, SLICE("a/b")));
	assert_false(pattern_test_parents(p, SLICE("a/b/cd")));
	assert_true(pattern_test_below(p, SLICE("a")));
	assert_true(pattern_test_below(p, SLICE("a/b")));
	assert_false(pattern_test_below(p, SLICE("b")));
	assert_false(pattern_test_below(p, SLICE("a/b/d")));
	assert_false(pattern_test_below(p, SLICE("a/b/c")));
	pattern_free(p);
	assert_null(pattern_new(SLICE("a["), PATTERN_IGNORE));
	pattern_free(NULL);
}

/* Short patterns are walked with the bits of a word, long ones with lists: both say the same. */
static void test_word_and_list(void **state)
{
	static const char *const of_pattern[] = {
		"a", "b", "/", "**/", "*", "?", "[ab]", "[^a]", "\xc3\xa4", "**"};
	static const char *const of_name[] = {"a", "b", "/", "ab", "\xc3\xa4", "\xff"};
	char first[80];
	unsigned seed = 7;

	(void)state;
	memset(first, 'x', 70);
	strcpy(first + 70, "/");
	for (int round = 0; round < 200000; round++) {
		char pattern[256], name[256];
		size_t n = (size_t)sprintf(pattern, "%s", first);
		size_t m = (size_t)sprintf(name, "%s", first);

		for (int k = 1 + rand_r(&seed) % 6; k > 0; k--)
			n += (size_t)sprintf(pattern + n, "%s", of_pattern[rand_r(&seed) % 10]);
		for (int k = 1 + rand_r(&seed) % 7; k > 0; k--)
			m += (size_t)sprintf(name + m, "%s", of_name[rand_r(&seed) % 6]);
		/* "**b" at the beginning of a pattern is special. */
		if (strncmp(pattern + 71, "**", 2) == 0 && pattern[73] != '/')
			continue;
		struct pattern *list = pattern_new(slice_of(pattern), PATTERN_IGNORE);
		struct pattern *word = pattern_new(slice_of(pattern + 71), PATTERN_IGNORE);

		assert_int_equal(pattern_test(word, slice_of(name + 71)),
			pattern_test(list, slice_of(name)));
		assert_int_equal(pattern_test_parents(word, slice_of(name + 71)),
			pattern_test_parents(list, slice_of(name)));
		assert_int_equal(pattern_test_below(word, slice_of(name + 71)),
			pattern_test_below(list, slice_of(name)));
		pattern_free(list);
		pattern_free(word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_word_and_list),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_many_stars),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_questions),
	};

	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
