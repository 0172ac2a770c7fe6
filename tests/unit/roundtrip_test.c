// SPDX-License-Identifier: Apache-2.0
/*
 * Every Dockerfile of the corpus and of the cases: what is printed from the tree parses to the same
 * tree, and printing that again gives the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/dockerfile.h"
#include "tests/fuzz/roundtrip.h"
#include "tests/support/casefile.h"

struct run {
	size_t good;
	size_t bad;
};

static void one(struct run *run, struct dockerfile *df, const char *path)
{
	if (roundtrip_applies(df)) {
		run->good++;
		if (!roundtrip_holds(df)) {
			print_error("%s: another tree\n", path);
			run->bad++;
		}
	}
	dockerfile_free(df);
}

static void file(const char *path, void *ctx)
{
	size_t len;
	char *text = casefile_read(path, &len);

	one(ctx, dockerfile_parse(SLICE("Dockerfile"), (struct slice){text, len}), path);
	one(ctx, dockerfile_parse_trigger(SLICE("ONBUILD"), (struct slice){text, len}), path);
	free(text);
}

static void test_cases(void **state)
{
	struct run run = {0};

	(void)state;
	casefile_each("tests/cases/parse", ".dockerfile", file, &run);
	assert_true(run.good >= 30);
	assert_int_equal(run.bad, 0);
}

static void test_corpus(void **state)
{
	struct run run = {0};

	(void)state;
	casefile_each("tests/fuzz/corpus/dockerfile", "", file, &run);
	assert_true(run.good >= 60);
	assert_int_equal(run.bad, 0);
}

static void prints(const char *from, const char *to)
{
	struct dockerfile *df = dockerfile_parse(SLICE("Dockerfile"), slice_of(from));
	size_t len;
	char *text;

	assert_int_equal(df->diags.errors, 0);
	text = roundtrip_text(df, dockerfile_print, &len);
	assert_string_equal(text, to);
	assert_true(roundtrip_holds(df));
	free(text);
	dockerfile_free(df);
}

static void test_form(void **state)
{
	(void)state;
	prints("# ESCAPE = `\n# syntax=a/b\nfrom a as B\nrun x `\n  y\n",
		"# syntax=a/b\n# escape=`\n\nFROM a AS B\nRUN x   y\n");
	prints("FROM --platform='linux/arm64 ' a\n", "FROM --platform=linux/arm64\\  a\n");
	prints("FROM a\n# check=skip=all\n#b\nCOPY --chown=1 --from=b [\"x y\",\"z\"]\n",
		"FROM a\n# check=skip=all\n# b\nCOPY --from=b --chown=1 [\"x y\", \"z\"]\n");
	prints("ARG A\nFROM a\nFROM b\n", "ARG A\n\nFROM a\n\nFROM b\n");
	prints("FROM a\nRUN --mount='\"target=/a,b\",type=cache,\"id=x\"\"y\"' -- --x\n",
		"FROM a\nRUN --mount=type=cache,\\\"id=x\\\"\\\"y\\\",\\\"target=/a,b\\\" -- "
		"--x\n");
	prints("FROM a\nRUN cat <<-A\\\n <<'B'\n\ta\n\tA\n\tb\nB\n",
		"FROM a\nRUN cat <<-A <<'B'\n\ta\nA\n\tb\nB\n");
	prints("FROM a\nHEALTHCHECK --retries=3 --interval=90s --timeout=1.5s CMD x\n",
		"FROM a\nHEALTHCHECK --interval=90s --timeout=1500ms --retries=3 CMD x\n");
	/* The mark of a continuation that never came keeps the escape character before it. */
	prints("FROM a\nUSER x\\ \\\n", "FROM a\nUSER x\\ \\\n");
	prints("FROM a\nVOLUME [ \"/a b\" ]\nVOLUME /c\t/d\n",
		"FROM a\nVOLUME [\"/a b\"]\nVOLUME /c /d\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_form),
	};

	return cmocka_run_group_tests_name("roundtrip", tests, NULL, NULL);
}
