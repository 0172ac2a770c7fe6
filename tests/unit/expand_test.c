// SPDX-License-Identifier: Apache-2.0
/*
 * Expansion of variables by the table in tests/cases, and the limits that keep a few lines from
 * becoming any amount of text or work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/expand.h"
#include "tests/support/casefile.h"

#define VARIABLES 32

struct variables {
	const char *name[VARIABLES];
	const char *value[VARIABLES];
	size_t count;
	size_t asked;
};

static bool lookup(void *ctx, struct slice name, struct slice *value)
{
	struct variables *v = ctx;

	v->asked++;
	for (size_t i = 0; i < v->count; i++) {
		if (slice_eq_str(name, v->name[i])) {
			*value = slice_of(v->value[i]);
			return true;
		}
	}
	return false;
}

static const char *const kinds[] = {
	"", "quote", "brace", "modifier", "required", "pattern", "limit"};

/* Result as the case files write it; free() it. */
static char *expand(const char *mode, const struct expand_env *env, const char *raw)
{
	struct arena *arena = arena_new();
	struct expand_error error = {0};
	struct slice out = {0}, *words = NULL;
	size_t n = 0, len = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &len);
	int status;

	if (!strcmp(mode, "word"))
		status = expand_word(env, slice_of(raw), arena, &out, &error);
	else if (!strcmp(mode, "heredoc"))
		status = expand_heredoc(env, slice_of(raw), arena, &out, &error);
	else
		status = expand_words(env, slice_of(raw), arena, &words, &n, &error);
	if (status < 0)
		fprintf(f, "error:%s %zu %s", kinds[error.kind], error.offset, error.message);
	else if (!strcmp(mode, "words"))
		for (size_t i = 0; i < n; i++)
			fprintf(f, "[%.*s]", SLICE_ARG(words[i]));
	else
		fwrite(out.ptr, 1, out.len, f);
	if (status == 0 && strcmp(mode, "words") != 0 && out.ptr[out.len] != '\0')
		fprintf(f, "(no NUL after the result)");
	fclose(f);
	arena_free(arena);
	return text;
}

static void run_file(const char *path, void *ctx)
{
	struct variables vars = {.count = 0};
	struct expand_env env = {lookup, &vars, '\\'};
	const char *mode = "word";
	size_t *rows = ctx;
	struct casefile c;
	int bad = 0;

	casefile_open(&c, path);
	while (casefile_next(&c)) {
		char *got;

		if (c.directive && !strcmp(c.field[0], "mode")) {
			mode = c.field[1];
		} else if (c.directive && !strcmp(c.field[0], "escape")) {
			env.escape = c.field[1][0];
		} else if (c.directive) {
			char *value = strchr(c.field[1], ' ');

			assert_non_null(value);
			*value++ = '\0';
			assert_true(vars.count < VARIABLES);
			vars.name[vars.count] = c.field[1];
			vars.value[vars.count++] = strcmp(value, "\xe2\x88\x85") ? value : "";
		} else {
			assert_int_equal(c.count, 2);
			got = expand(mode, &env, c.field[0]);
			if (strcmp(got, c.field[1]) != 0) {
				print_error("%s:%zu: %s\n  want %s\n  got  %s\n", path, c.line,
					c.field[0], c.field[1], got);
				bad++;
			}
			free(got);
			++*rows;
		}
	}
	casefile_close(&c);
	assert_int_equal(bad, 0);
}

static void test_cases(void **state)
{
	size_t rows = 0;

	(void)state;
	casefile_each("tests/cases/expand", ".txt", run_file, &rows);
	assert_true(rows >= 120);
}

/* Expand a text of count copies of part. */
static int repeat(const char *part, size_t count, const char *tail, struct variables *vars,
	struct slice *out, struct expand_error *error, struct arena *arena)
{
	struct expand_env env = {lookup, vars, '\\'};
	size_t n = strlen(part);
	char *text = malloc(n * count + strlen(tail) + 1);
	int status;

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * n, part, n);
	strcpy(text + n * count, tail);
	status = expand_word(&env, slice_of(text), arena, out, error);
	free(text);
	return status;
}

static void test_depth(void **state)
{
	struct arena *arena = arena_new();
	struct variables vars = {.count = 0};
	struct expand_error error;
	struct slice out;
	char tail[EXPAND_DEPTH_MAX + 2];

	(void)state;
	memset(tail, '}', sizeof tail);
	tail[EXPAND_DEPTH_MAX] = '\0';
	assert_int_equal(repeat("${x:-", EXPAND_DEPTH_MAX, tail, &vars, &out, &error, arena), 0);
	assert_int_equal(out.len, 0);
	tail[EXPAND_DEPTH_MAX] = '}';
	tail[EXPAND_DEPTH_MAX + 1] = '\0';
	assert_int_equal(
		repeat("${x:-", EXPAND_DEPTH_MAX + 1, tail, &vars, &out, &error, arena), -1);
	assert_int_equal(error.kind, EXPAND_LIMIT);
	assert_string_equal(error.message, "nested deeper than 100");
	/* Never closed: a limit, not a crash. */
	assert_int_equal(repeat("${x:-", 100000, "", &vars, &out, &error, arena), -1);
	assert_int_equal(error.kind, EXPAND_LIMIT);
	arena_free(arena);
}

static void test_output_limit(void **state)
{
	struct arena *arena = arena_new();
	char *big = malloc(1025);
	struct variables vars = {.name = {"BIG"}, .value = {big}, .count = 1};
	struct expand_error error;
	struct slice out;

	(void)state;
	memset(big, 'a', 1024);
	big[1024] = '\0';
	assert_int_equal(repeat("$BIG", 1024, "", &vars, &out, &error, arena), 0);
	assert_int_equal(out.len, EXPAND_OUTPUT_MAX);
	assert_int_equal(repeat("$BIG", 1024, ".", &vars, &out, &error, arena), -1);
	assert_int_equal(error.kind, EXPAND_LIMIT);
	assert_int_equal(error.offset, 4096);
	assert_string_equal(error.message, "result is longer than 1048576 bytes");
	free(big);
	arena_free(arena);
}

/* Patterns that make a naive matcher exponential or quadratic end at once or with the work limit.
 */
static void test_work_limit(void **state)
{
	struct arena *arena = arena_new();
	size_t n = 100000;
	char *big = malloc(n + 1);
	struct variables vars = {.name = {"BIG"}, .value = {big}, .count = 1};
	struct expand_env env = {lookup, &vars, '\\'};
	struct expand_error error;
	struct slice out;

	(void)state;
	memset(big, 'a', n);
	big[n] = '\0';
	assert_int_equal(expand_word(&env, SLICE("${BIG//a/b}"), arena, &out, &error), 0);
	assert_int_equal(out.len, n);
	assert_int_equal(out.ptr[n - 1], 'b');
	assert_int_equal(expand_word(&env, SLICE("${BIG%%*a*a*a*a*a*b}"), arena, &out, &error), 0);
	assert_int_equal(out.len, n);
	assert_int_equal(expand_word(&env, SLICE("${BIG//*a*a*a*a*b/x}"), arena, &out, &error), 0);
	assert_int_equal(out.len, n);
	assert_int_equal(expand_word(&env, SLICE("${BIG##$BIG*b}"), arena, &out, &error), 0);
	/* Many times that: refused. */
	assert_int_equal(repeat("${BIG#$BIG}", 400, "", &vars, &out, &error, arena), -1);
	assert_int_equal(error.kind, EXPAND_LIMIT);
	assert_string_equal(error.message, "expansion takes too much work");
	free(big);
	arena_free(arena);
}

static void test_lookup_is_called_for_tested_names(void **state)
{
	struct arena *arena = arena_new();
	struct variables vars = {.name = {"A"}, .value = {"1"}, .count = 1};
	struct expand_env env = {lookup, &vars, '\\'};
	struct expand_error error;
	struct slice out;

	(void)state;
	assert_int_equal(
		expand_word(&env, SLICE("${A:+x}${U:-y}'$Q'\\$Z"), arena, &out, &error), 0);
	assert_int_equal(vars.asked, 2);
	assert_true(slice_eq_str(out, "xy$Q$Z"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_output_limit),
		cmocka_unit_test(test_work_limit),
		cmocka_unit_test(test_lookup_is_called_for_tested_names),
	};

	return cmocka_run_group_tests_name("expand", tests, NULL, NULL);
}
