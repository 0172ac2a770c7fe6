// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/ignore.h"
#include "tests/support/casefile.h"

/* The rules of a case: separators and visible control characters to what they stand for. */
static struct ignore *parse_rules(const char *s)
{
	static const struct {
		const char *from, *to;
	} marks[] = {{" | ", "\n"}, {"\xe2\x90\xa3", " "}, {"\xe2\x90\x89", "\t"},
		{"\xe2\x90\x8d", "\r"}, {"\xe2\x88\x85", ""}};
	char *text = malloc(strlen(s) + 1), *out = text;
	struct ignore *ig;

	while (*s) {
		size_t i = 0;

		while (i < 5 && strncmp(s, marks[i].from, 3) != 0)
			i++;
		if (i < 5) {
			out = stpcpy(out, marks[i].to);
			s += 3;
		} else {
			*out++ = *s++;
		}
	}
	ig = ignore_parse(SLICE(".dockerignore"), (struct slice){text, (size_t)(out - text)});
	free(text);
	assert_int_equal(ignore_diags(ig)->errors, 0);
	return ig;
}

static void run_file(const char *path, void *ctx)
{
	size_t *rows = ctx;
	struct ignore *ig = NULL;
	struct casefile c;
	bool below = false;
	int bad = 0;

	casefile_open(&c, path);
	while (casefile_next(&c)) {
		struct slice name = slice_of(c.field[0]);
		char got[64];
		size_t line;

		if (c.directive && !strcmp(c.field[0], "below")) {
			below = true;
			continue;
		}
		if (c.directive) {
			ignore_free(ig);
			ig = parse_rules(c.field[1]);
			continue;
		}
		assert_int_equal(c.count, 2);
		if (below)
			snprintf(got, sizeof(got), "%s",
				ignore_may_contain(ig, name) ? "in" : "out");
		else if (ignore_match(ig, name, &line))
			snprintf(got, sizeof(got), "out:%zu", line);
		else
			snprintf(got, sizeof(got), "in");
		if (strcmp(got, c.field[1]) != 0) {
			print_error("%s:%zu: %s: want %s, got %s\n", path, c.line, c.field[0],
				c.field[1], got);
			bad++;
		}
		++*rows;
	}
	ignore_free(ig);
	casefile_close(&c);
	assert_int_equal(bad, 0);
}

static void test_cases(void **state)
{
	size_t rows = 0;

	(void)state;
	casefile_each("tests/cases/ignore", ".txt", run_file, &rows);
	assert_true(rows >= 80);
}

static void collect(void *ctx, struct slice bytes)
{
	fwrite(bytes.ptr, 1, bytes.len, ctx);
}

static void test_errors(void **state)
{
	struct ignore *ig = ignore_parse(SLICE(".dockerignore"), SLICE("ok\n!\n a[\n! \nb\\\n"));
	const struct diag_list *diags = ignore_diags(ig);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(diags->errors, 4);
	for (size_t i = 0; i < 2; i++)
		diag_render_text(ignore_source(ig), &diags->items[i], collect, f);
	fclose(f);
	assert_string_equal(text,
		".dockerignore:2:1: error: \"!\" without a pattern\n"
		"    1 | ok\n"
		"    2 | !\n"
		"      | ^\n"
		"   = help: write !PATTERN\n"
		".dockerignore:3:2: error: malformed pattern\n"
		"    1 | ok\n"
		"    2 | !\n"
		"    3 |  a[\n"
		"      |  ^~\n"
		"   = help: close every [ by ], put \\ only before a character\n");
	free(text);
	assert_int_equal(source_place(ignore_source(ig), diags->items[3].span.off).line, 5);
	ignore_free(ig);
}

static void test_limits(void **state)
{
	size_t size = IGNORE_SIZE_MAX + 1;
	char *text = malloc(size);
	struct ignore *ig;

	(void)state;
	memset(text, 'a', size);
	ig = ignore_parse(SLICE("x"), (struct slice){text, size});
	assert_int_equal(ignore_diags(ig)->errors, 1);
	assert_true(slice_eq_str(ignore_diags(ig)->items[0].message, "larger than 1048576 bytes"));
	ignore_free(ig);
	ig = ignore_parse(SLICE("x"), (struct slice){text, size - 1});
	assert_int_equal(ignore_diags(ig)->errors, 0);
	assert_int_equal(ignore_count(ig), 1);
	ignore_free(ig);
	for (size_t i = 0; i < size; i += 2)
		text[i] = '\n';
	ig = ignore_parse(SLICE("x"), (struct slice){text, 2 * IGNORE_RULES_MAX + 4});
	assert_int_equal(ignore_diags(ig)->errors, 1);
	assert_true(slice_eq_str(ignore_diags(ig)->items[0].message, "more than 10000 rules"));
	ignore_free(ig);
	free(text);
}

static void test_root(void **state)
{
	struct ignore *ig = ignore_parse(SLICE("x"), SLICE("**\n"));
	size_t line = 9;

	(void)state;
	assert_false(ignore_match(ig, SLICE(""), &line));
	assert_int_equal(line, 0);
	assert_true(ignore_may_contain(ig, SLICE("")));
	assert_true(ignore_match(ig, SLICE("a"), NULL));
	ignore_free(ig);
	ignore_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_root),
	};

	return cmocka_run_group_tests_name("ignore", tests, NULL, NULL);
}
