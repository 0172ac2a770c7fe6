// SPDX-License-Identifier: Apache-2.0
/*
 * Ignore rules by the table in tests/cases, and random ones against a walk that asks each rule in
 * turn, since rules are looked up by their literals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/diag.h"
#include "parser/ignore.h"
#include "parser/pattern.h"
#include "parser/source.h"
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
			snprintf(
				got, sizeof got, "%s", ignore_may_contain(ig, name) ? "in" : "out");
		else if (ignore_match(ig, name, &line))
			snprintf(got, sizeof got, "out:%zu", line);
		else
			snprintf(got, sizeof got, "in");
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

/* Every rule asked in turn, as the header has it. */
static bool in_turn(
	struct pattern *const *p, const bool *keep, size_t n, struct slice path, size_t *line)
{
	bool excluded = false;

	*line = 0;
	for (size_t i = 0; i < n; i++) {
		if (keep[i] != excluded || !pattern_test_parents(p[i], path))
			continue;
		excluded = !keep[i];
		*line = i + 1;
	}
	return excluded;
}

/* What in_turn() is to ignore_match(). */
static bool below_in_turn(struct pattern *const *p, const bool *keep, size_t n, struct slice dir)
{
	while (n-- > 0) {
		bool here = pattern_test_parents(p[n], dir);

		if (keep[n] && (here || pattern_test_below(p[n], dir)))
			return true;
		if (!keep[n] && here)
			return false;
	}
	return true;
}

#define RULES_MOST 400

static size_t random_text(
	unsigned *seed, const char *const *pieces, size_t n, size_t most, char *out)
{
	size_t len = 0;

	for (size_t k = 1 + (size_t)rand_r(seed) % most; k > 0; k--)
		len = (size_t)(stpcpy(out + len, pieces[(size_t)rand_r(seed) % n]) - out);
	return len;
}

struct random_rules {
	struct pattern *p[RULES_MOST];
	bool keep[RULES_MOST];
	size_t n;
	struct ignore *ig;
};

static void make_rules(
	struct random_rules *r, size_t n, const char *const *pieces, size_t npieces, unsigned *seed)
{
	static char text[RULES_MOST * 512];
	size_t len = 0;

	r->n = 0;
	while (r->n < n) {
		char rule[512];

		random_text(seed, pieces, npieces, 8, rule);
		/* What cleaning would change is another test's. */
		if (strstr(rule, "//") || rule[0] == '/' || rule[strlen(rule) - 1] == '/')
			continue;
		r->keep[r->n] = rand_r(seed) % 3 == 0;
		r->p[r->n] = pattern_new(slice_of(rule), PATTERN_IGNORE);
		assert_non_null(r->p[r->n]);
		len += (size_t)sprintf(text + len, "%s%s\n", r->keep[r->n++] ? "!" : "", rule);
	}
	r->ig = ignore_parse(SLICE("x"), (struct slice){text, len});
	assert_int_equal(ignore_diags(r->ig)->errors, 0);
}

static void clear_rules(struct random_rules *r)
{
	ignore_free(r->ig);
	while (r->n > 0)
		pattern_free(r->p[--r->n]);
}

static void compare(const struct random_rules *r, const char *path)
{
	struct slice s = slice_of(path[0] == '/' ? path + 1 : path);
	size_t line, want_line;
	bool want = in_turn(r->p, r->keep, r->n, s, &want_line);

	assert_int_equal(ignore_match(r->ig, s, &line), want);
	assert_int_equal(line, want_line);
	if (s.len)
		assert_int_equal(
			ignore_may_contain(r->ig, s), below_in_turn(r->p, r->keep, r->n, s));
}

static const char *const of_path[] = {"a", "b", "ab", "/a", "/b", ".c", "\xc3\xa4",
	"long-name-of-more-than-thirty-two-bytes", "a.c", "\xff"};

/* Rules are found by their literals: none may be missed. */
static void test_random(void **state)
{
	static const char *const of_rule[] = {"a", "b", "ab", "/", "**/", "*", "?", "[ab]", ".c",
		"long-name-of-more-than-thirty-two-bytes", "\\a", "\xc3\xa4", "[^a]", "\xff"};
	static struct random_rules r;
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		make_rules(&r, 40, of_rule, 14, &seed);
		for (int i = 0; i < 20; i++) {
			char path[512];

			random_text(&seed, of_path, 10, 5, path);
			compare(&r, path);
		}
		clear_rules(&r);
	}
}

/* Most of these rules have no literal, or one that every path holds: they are walked together. */
static void test_random_together(void **state)
{
	static const char *const of_rule[] = {"a", "/", "**/", "**", "*", "?", "[ab]", "[^a]",
		"[a-z.]", "[b-a]", "[^\xc3\xa4-\xc3\xb6x]", "[\xc3\xa4-\xe4\xb8\x80]", "?*", "*/*",
		"[^\xff]", "***/"};
	static struct random_rules r;
	unsigned seed = 2;

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t n = 65 + (size_t)rand_r(&seed) % (RULES_MOST - 65);

		make_rules(&r, n, of_rule, 2 + (size_t)rand_r(&seed) % 15, &seed);
		for (int i = 0; i < 40; i++) {
			char path[512];

			random_text(&seed, of_path, 10, 6, path);
			compare(&r, path);
		}
		clear_rules(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_random_together),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_root),
	};

	return cmocka_run_group_tests_name("ignore", tests, NULL, NULL);
}
