// SPDX-License-Identifier: Apache-2.0
/*
 * Cases: tests/cases/lint/RULE.txt, each a list of
 *
 *	== name
 *	@arg K=V | @ignore PATTERN | @base IMAGE [shell] [platform=P] [K=V...] | @needed 0 1 ... |
 *	@check VALUE | @portable | @certain
 *	--
 *	Dockerfile
 *	--
 *	LINE:COLUMN severity Rule: message          one line each, in order
 *
 * With BLD_TEST_UPDATE=1 the last part is written instead of compared; read the difference before
 * committing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/diag.h"
#include "parser/dockerfile.h"
#include "parser/ignore.h"
#include "parser/lint.h"
#include "parser/source.h"
#include "tests/support/casefile.h"

#define MAX 16

struct base {
	char *image;
	struct lint_base b;
	struct slice env[MAX];
};

struct given {
	struct lint_opts o;
	struct slice args[MAX];
	bool needed[MAX];
	struct base bases[MAX];
	size_t nbases;
	struct ignore *ignore;
	char rules[1000];
};

static const struct slice automatic[] = {{"TARGETPLATFORM=linux/amd64", 26},
	{"BUILDPLATFORM=linux/arm64", 25}, {"TARGETARCH=amd64", 16}};

static void find_base(
	void *ctx, size_t stage, struct slice image, struct slice platform, struct lint_base *out)
{
	struct given *g = ctx;

	(void)stage;
	(void)platform;
	for (size_t i = 0; i < g->nbases; i++)
		if (slice_eq_str(image, g->bases[i].image))
			*out = g->bases[i].b;
}

/* As much of the grammar of names as the cases need. */
static bool image_name(void *ctx, struct slice name)
{
	(void)ctx;
	for (size_t i = 0; i < name.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_./:@", name.ptr[i]))
			return false;
	return name.len && name.ptr[name.len - 1] != ':' && name.ptr[name.len - 1] != '/';
}

static void take_base(struct given *g, char *text)
{
	struct base *b = &g->bases[g->nbases++];
	char *save, *word = strtok_r(text, " ", &save);

	b->image = word;
	b->b = (struct lint_base){.known = true, .env = b->env};
	while ((word = strtok_r(NULL, " ", &save))) {
		if (strcmp(word, "shell") == 0) {
			b->b.shell = true;
		} else if (strncmp(word, "platform=", 9) == 0) {
			b->b.platform = slice_of(word + 9);
			b->b.expected = SLICE("linux/amd64");
		} else {
			b->env[b->b.nenv++] = slice_of(word);
		}
	}
}

static void take_option(struct given *g, char *line)
{
	char *value = strchr(line, ' ');

	if (value)
		*value++ = '\0';
	if (strcmp(line, "@arg") == 0) {
		g->args[g->o.nbuild_args++] = slice_of(value);
	} else if (strcmp(line, "@ignore") == 0) {
		strcat(strcat(g->rules, value), "\n");
	} else if (strcmp(line, "@base") == 0) {
		take_base(g, value);
	} else if (strcmp(line, "@needed") == 0) {
		g->o.needed = g->needed;
		for (size_t i = 0; *value; value++)
			if (*value != ' ')
				g->needed[i++] = *value == '1';
	} else if (strcmp(line, "@check") == 0) {
		g->o.check = slice_of(value);
	} else if (strcmp(line, "@portable") == 0) {
		g->o.portable = true;
	} else if (strcmp(line, "@certain") == 0) {
		g->o.certain = true;
	} else {
		fail_msg("unknown option %s", line);
	}
}

static void to_file(void *ctx, struct slice bytes)
{
	fwrite(bytes.ptr, 1, bytes.len, ctx);
}

static void print_findings(FILE *f, const struct lint_result *r)
{
	if (r->bad_check)
		fprintf(f, "bad check: %.*s\n", SLICE_ARG(r->bad.message));
	for (size_t i = 0; i < r->count; i++) {
		const struct diag *d = &r->items[i].diag;
		struct endpoint p = source_place(&r->df->source, d->span.off);

		assert_int_equal(d->severity == DIAG_ERROR, r->items[i].error);
		assert_string_equal(d->rule, lint_rule_info(r->items[i].rule)->name);
		fprintf(f, "%zu:%zu+%zu %s %s: ", p.line, p.column, d->span.len,
			r->items[i].error ? "error" : "warning", d->rule);
		diag_render_escaped(d->message, to_file, f);
		fputc('\n', f);
		if (d->nnotes)
			fprintf(f, "  note: %.*s\n", SLICE_ARG(d->notes[0]));
		if (d->hint.len)
			fprintf(f, "  help: %.*s\n", SLICE_ARG(d->hint));
	}
}

struct run {
	const char *path;
	size_t cases, bad;
	FILE *out; /* the file as it should be */
};

/* One case: head (name and options), text, expected; all cut out of the file. */
static void run_case(struct run *run, char *head, struct slice text, const char *want)
{
	struct given g = {.o = {.automatic = automatic,
				  .nautomatic = 3,
				  .base = find_base,
				  .image_name = image_name}};
	struct dockerfile *df = dockerfile_parse(SLICE("Dockerfile"), text);
	struct lint_result *r;
	char *got, *save, *name = strtok_r(head, "\n", &save), *line;
	size_t len;
	FILE *f = open_memstream(&got, &len);

	g.o.ctx = &g;
	g.o.build_args = g.args;
	while ((line = strtok_r(NULL, "\n", &save)))
		take_option(&g, line);
	if (*g.rules) {
		g.ignore = ignore_parse(SLICE(".dockerignore"), slice_of(g.rules));
		g.o.ignore = g.ignore;
	}
	r = lint_run(df, &g.o);
	print_findings(f, r);
	fclose(f);
	fputs(got, run->out);
	if (strcmp(got, want) != 0) {
		print_error("%s: %s\n--- want\n%s--- got\n%s", run->path, name, want, got);
		run->bad++;
	}
	run->cases++;
	free(got);
	lint_free(r);
	ignore_free(g.ignore);
	dockerfile_free(df);
}

static void run_file(const char *path, void *ctx)
{
	struct run *run = ctx;
	size_t before = run->cases, bad = run->bad, len;
	char *text = casefile_read(path, NULL), *at = text, *out;
	const char *update = getenv("BLD_TEST_UPDATE");

	run->path = path;
	run->out = open_memstream(&out, &len);
	while (at && strncmp(at, "== ", 3) == 0) {
		char *body = strstr(at, "\n--\n"), *want = strstr(body + 4, "--\n");
		char *next = strstr(want, "\n== ");
		char *head = strndup(at, (size_t)(body - at)), *expected;

		while (want[-1] != '\n')
			want = strstr(want + 3, "--\n");
		if (next && next < want)
			next = want + 2;
		expected =
			strndup(want + 3, next ? (size_t)(next + 1 - want - 3) : strlen(want + 3));
		fprintf(run->out, "%.*s", (int)(want + 3 - at), at);
		run_case(run, head, (struct slice){body + 4, (size_t)(want - body - 4)}, expected);
		at = next ? next + 1 : NULL;
		free(head);
		free(expected);
	}
	fclose(run->out);
	if (update && *update == '1') {
		FILE *f = fopen(path, "wbe");

		fputs(out, f);
		fclose(f);
		run->bad = bad;
	}
	if (run->cases - before < 5)
		fail_msg("%s: %zu cases", path, run->cases - before);
	free(out);
	free(text);
}

static void test_cases(void **state)
{
	struct run run = {0};

	(void)state;
	/* One file a rule, and those of the configuration. */
	assert_true(
		casefile_each("tests/cases/lint", ".txt", run_file, &run) >= LINT_RULE_COUNT + 1);
	assert_int_equal(run.bad, 0);
	assert_true(run.cases >= 5 * (LINT_RULE_COUNT + 1));
}

static void test_rules_have_cases(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LINT_RULE_COUNT; i++) {
		const struct lint_rule_info *info = lint_rule_info((enum lint_rule)i);
		char *path, *text, *word;

		assert_true(asprintf(&path, "tests/cases/lint/%s.txt", info->name) > 0);
		text = casefile_read(path, NULL);
		if (!text)
			fail_msg("%s is missing", path);
		assert_true(asprintf(&word, " %s: ", info->name) > 0);
		assert_non_null(strstr(text, word));
		assert_true(strlen(info->description) > 10);
		free(word);
		free(text);
		free(path);
	}
}

/* Many findings, names, and lines: the number is kept within limits and the time is short. */
static void test_limits(void **state)
{
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);
	struct dockerfile *df;
	struct lint_opts o = {0};
	struct lint_result *r;

	(void)state;
	fputs("FROM scratch\n", f);
	for (int i = 0; i < 9000; i++)
		fprintf(f, "ENV A%d_%d=$B%d c%d=${D%d}\n", i, i, i, i, i);
	fputs("ENV", f);
	for (int i = 0; i < 30000; i++)
		fprintf(f, " x%d=$y%d", i, i);
	fclose(f);
	df = dockerfile_parse(SLICE("Dockerfile"), (struct slice){text, len});
	assert_int_equal(df->diags.errors, 0);
	r = lint_run(df, &o);
	assert_int_equal(r->count, LINT_FINDINGS_MAX);
	assert_true(r->found > LINT_FINDINGS_MAX);
	assert_true(arena_used(r->arena) < (size_t)64 << 20);
	lint_free(r);
	dockerfile_free(df);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_rules_have_cases),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
