// SPDX-License-Identifier: Apache-2.0
/* What is added to an error at a word: the lines after the caret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "builder/plan/dferr.h"
#include "builder/plan/hints.h"
#include "builder/plan/scope.h"
#include "parser/dockerfile.h"
#include "store/base/mem.h"

static struct dockerfile *parse(const char *text)
{
	struct dockerfile *df = dockerfile_parse(SLICE("Dockerfile"), slice_of(text));

	assert_int_equal(0, df->diags.errors);
	return df;
}

/* An error at the word of the last instruction of the last stage. */
static void expect(const char *text, const char *vars, const char *hint, const char *lines)
{
	struct dockerfile *df = parse(text);
	const struct ast_stage *stage = &df->stages[df->nstages - 1];
	const struct ast_instruction *ins =
		stage->body.count ? stage->body.items[stage->body.count - 1] : stage->from;
	struct span at = ins->keyword == AST_FROM      ? ins->from.image.span
			 : ins->keyword == AST_COPY    ? ins->copy.from.span
			 : ins->keyword == AST_WORKDIR ? ins->workdir.path.span
						       : ins->word.span;
	struct err *err = NULL;
	auto_scope struct scope s;
	const char *got;

	scope_init(&s);
	if (*vars) {
		auto_free char *name = mem_strndup(vars, strcspn(vars, "="));
		scope_declare(&s, name, strchr(vars, '=') ? strchr(vars, '=') + 1 : NULL);
	}
	assert_int_equal(-1, dferr_at(&err, ERR_SYNTAX, df, at, hint, "wrong"));
	assert_int_equal(-1, hints_add(&s, df, ins, &err));
	assert_int_equal(ERR_SYNTAX, err_get_kind(err));
	got = strstr(err_text(err), "   = ");
	assert_string_equal(lines, got ? got : "");
	err_free(err);
	dockerfile_free(df);
}

static void values(void **state)
{
	(void)state;
	expect("FROM a\nARG P=80abc\nUSER $P\n", "P=80abc", NULL,
		"   = $P is \"80abc\", set by ARG at Dockerfile:2\n");
	expect("FROM a\nARG P=80\nENV P=$P/x\nUSER x${P:-1}y\n", "P=80/x", NULL,
		"   = $P is \"80/x\", set by ENV at Dockerfile:3\n");
	expect("FROM a\nARG P=80\nUSER $P\n", "P=x", "read", /* given on the command line */
		"   = $P is \"x\", from --build-arg for ARG at Dockerfile:2\n"
		"   = help: read\n");
	expect("ARG P=1\nFROM a AS b\nARG P\nFROM b\nUSER \"$P$P\"\n", "P=1", NULL,
		"   = $P is \"1\", set by ARG at Dockerfile:1\n");
	expect("FROM a\nUSER $P\n", "P=\x1b[31m", NULL,
		"   = $P is \"\\x1b[31m\", from the base image\n");
	expect("ARG TARGETARCH\nFROM $TARGETARCH\n", "TARGETARCH=amd64", NULL,
		"   = $TARGETARCH is \"amd64\", declared by ARG at Dockerfile:1\n");
	expect("FROM $TARGETARCH\n", "TARGETARCH=amd64", NULL,
		"   = $TARGETARCH is \"amd64\", an automatic variable\n");
}

static void unset(void **state)
{
	(void)state;
	expect("FROM a\nENV NAME=x\nUSER $NAM\n", "NAME=x", "general",
		"   = $NAM is not set\n   = help: did you mean $NAME?\n   = help: general\n");
	expect("ARG G=1\nFROM a\nUSER $G\n", "", NULL,
		"   = $G is not set\n   = help: G is declared only before the first FROM (line 1): "
		"add ARG G to this stage\n");
	expect("FROM x\nARG G=1\nFROM $G\n", "", NULL,
		"   = $G is not set\n   = help: FROM sees only the ARGs before the first FROM: "
		"move "
		"the ARG of line 2 there\n");
	expect("ARG G\nFROM $G\n", "G", NULL,
		"   = $G is not set\n   = help: ARG G has no default: give it one, or pass "
		"--build-arg G=VALUE\n");
	expect("FROM a\nUSER $Q\n", "", NULL,
		"   = $Q is not set\n   = help: declare it with ARG Q=VALUE\n");
}

/* What is no variable, and words that were not the mistake. */
static void nothing(void **state)
{
	(void)state;
	expect("FROM a\nUSER '$Q'\\$Q$1\n", "", NULL, "");
	expect("FROM a\nUSER x\n", "", "h", "   = help: h\n");
}

static void stages(void **state)
{
	(void)state;
	expect("FROM a AS builder\nFROM b\nCOPY --from=buidler x y\n", "", NULL,
		"   = help: did you mean stage \"builder\"?\n");
	expect("FROM a AS builder\nFROM bulder\n", "", NULL,
		"   = help: did you mean stage \"builder\"?\n");
	expect("FROM a AS builder\nFROM b\nCOPY --from=alpine x y\n", "", NULL, "");
}

/* The error of something else stays as it is. */
static void other(void **state)
{
	struct dockerfile *df = parse("FROM a\nUSER $Q\n");
	struct err *err = NULL;
	auto_scope struct scope s;

	(void)state;
	scope_init(&s);
	err_set(&err, ERR_NET, "no network");
	assert_int_equal(-1, hints_add(&s, df, df->stages[0].body.items[0], &err));
	assert_string_equal("no network", err_text(err));
	assert_int_equal(-1, hints_add(&s, df, df->stages[0].body.items[0], NULL));
	err_free(err);
	dockerfile_free(df);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(unset),
		cmocka_unit_test(nothing),
		cmocka_unit_test(stages),
		cmocka_unit_test(other),
	};

	return cmocka_run_group_tests_name("hints", tests, NULL, NULL);
}
