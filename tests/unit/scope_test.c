// SPDX-License-Identifier: Apache-2.0
/* Variables of a stage and the words they are expanded in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "builder/plan/scope.h"
#include "parser/dockerfile.h"
#include "store/base/mem.h"

/* Words of one Dockerfile: its LABEL values, in order. */
static struct dockerfile *parse(const char *text)
{
	struct dockerfile *df = dockerfile_parse(SLICE("Dockerfile"), slice_of(text));

	assert_int_equal(0, df->diags.errors);
	return df;
}

static const struct word *value(const struct dockerfile *df, size_t line)
{
	return &df->stages[0].body.items[line]->pairs.items[0].value;
}

static void later_wins(void **state)
{
	auto_scope struct scope s, child;

	(void)state;
	scope_init(&s);
	scope_init(&child);
	scope_declare(&s, "a", NULL);
	assert_null(scope_get(&s, "a"));
	scope_declare(&s, "a", "1");
	scope_set(&s, "b", "");
	scope_set(&s, "a", "2");
	scope_declare(&s, "a", NULL);
	assert_string_equal("2", scope_get(&s, "a"));
	assert_string_equal("", scope_get(&s, "b"));
	assert_null(scope_get(&s, ""));
	assert_int_equal(1, s.args.n);
	assert_int_equal(2, s.vars.n);
	scope_copy(&child, &s);
	scope_set(&s, "a", "3");
	assert_string_equal("2", scope_get(&child, "a"));
	assert_int_equal(1, child.args.n);
}

static void expansion(void **state)
{
	struct dockerfile *df =
		parse("#escape=`\nFROM scratch\nLABEL x=$a-${ab}-${a:-d}-${none:-`$}\n"
		      "LABEL x=\"\"\nLABEL x=${none:?no-way}\n");
	struct err *err = NULL;
	struct scope s CLEANUP(scope_clear);

	(void)state;
	scope_init(&s);
	scope_set(&s, "ab", "2");
	scope_set(&s, "a", "1");
	assert_string_equal("1-2-1-$", scope_expand(&s, df, value(df, 0), &err));
	assert_string_equal("", scope_expand(&s, df, value(df, 1), &err));
	assert_null(err);
	assert_null(scope_expand(&s, df, value(df, 2), &err));
	assert_int_equal(ERR_BUILD, err_get_kind(err));
	assert_non_null(strstr(err_text(err), "Dockerfile:5:"));
	assert_non_null(strstr(err_text(err), "no-way"));
	err_free(err);
	dockerfile_free(df);
}

static void splitting(void **state)
{
	struct dockerfile *df = parse("FROM scratch\nEXPOSE $p\n");
	auto_strlist struct strlist out = {0};
	struct scope s CLEANUP(scope_clear);

	(void)state;
	scope_init(&s);
	scope_set(&s, "p", " 1  2\t3 ");
	assert_int_equal(0, scope_expand_split(&s, df, &df->stages[0].body.items[0]->words.items[0],
				    &out, NULL));
	assert_int_equal(3, out.n);
	assert_string_equal("1", out.v[0]);
	assert_string_equal("3", out.v[2]);
	dockerfile_free(df);
}

static void bodies(void **state)
{
	struct dockerfile *df = parse("FROM scratch\nCOPY <<A <<\"B\" /\n'$x' \\$x\nA\n$x\nB\n");
	const struct ast_copy *c = &df->stages[0].body.items[0]->copy;
	struct slice out;
	struct scope s CLEANUP(scope_clear);

	(void)state;
	scope_init(&s);
	scope_set(&s, "x", "1");
	assert_int_equal(0, scope_expand_body(&s, df, &c->inlines.items[0], &out, NULL));
	assert_true(slice_eq_str(out, "'1' $x\n"));
	assert_int_equal(0, scope_expand_body(&s, df, &c->inlines.items[1], &out, NULL));
	assert_true(slice_eq_str(out, "$x\n"));
	dockerfile_free(df);
}

static void proxies(void **state)
{
	static const char *const yes[] = {
		"http_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "ftp_proxy", "ALL_PROXY"};
	static const char *const no[] = {
		"Http_Proxy", "hTTP_PROXY", "http_proxy2", "proxy", "", "_"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(scope_is_proxy(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(scope_is_proxy(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_wins),
		cmocka_unit_test(expansion),
		cmocka_unit_test(splitting),
		cmocka_unit_test(bodies),
		cmocka_unit_test(proxies),
	};
	return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
