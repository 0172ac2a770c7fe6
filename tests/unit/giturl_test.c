// SPDX-License-Identifier: Apache-2.0
/* URLs of repositories, by the table of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "parser/giturl.h"
#include "tests/support/casefile.h"

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

static const char *flags(struct arena *a, const struct giturl *u)
{
	const char *kinds[] = {"", ",tag", ",branch"};
	const char *keep[] = {",nokeep", ",keep"};
	const char *sub[] = {",nosub", ",sub"};
	const char *text = arena_printf(a, "%s%s%s%s%s", kinds[u->kind],
		u->keep_git_dir < 0 ? "" : keep[u->keep_git_dir],
		u->submodules < 0 ? "" : sub[u->submodules], u->checkout_time ? ",checkout" : "",
		u->login ? ",login" : "")
				   .ptr;

	return *text ? text + 1 : "-";
}

static const char *answer(struct arena *a, const char *use, char *text)
{
	struct giturl u;
	const char *why = "";

	if (strcmp(use, "sub") == 0) {
		char *blank = strchr(text, ' ');
		*blank = '\0';
		const char *url = giturl_submodule(a, text, slice_of(blank + 1), &why);
		return url ? url : arena_printf(a, "!%s", why).ptr;
	}
	if (!giturl_parse(a, slice_of(text), strcmp(use, "context") == 0, &u, &why))
		return arena_printf(a, "!%s", why).ptr;
	return arena_printf(a, "%s %s %s %s %s", u.remote, or_dash(u.ref), or_dash(u.subdir),
		or_dash(u.checksum), flags(a, &u))
		.ptr;
}

static bool same(const char *got, const char *want)
{
	return *want == '!' ? *got == '!' && strstr(got, want + 1) : strcmp(got, want) == 0;
}

static void table(void **state)
{
	struct casefile c;
	size_t rows = 0, bad = 0;

	(void)state;
	casefile_open(&c, "tests/cases/giturl/urls.txt");
	while (casefile_next(&c)) {
		struct arena *a = arena_new();
		assert_int_equal(c.count, 3);
		const char *got = answer(a, c.field[0], c.field[1]);
		if (!same(got, c.field[2])) {
			print_error("%s:%zu: want %s, got %s\n", c.path, c.line, c.field[2], got);
			bad++;
		}
		rows++;
		arena_free(a);
	}
	casefile_close(&c);
	assert_int_equal(bad, 0);
	assert_true(rows >= 70);
}

static void checksums(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_string_equal(giturl_checksum(a, SLICE("ABcd09")), "abcd09");
	assert_null(giturl_checksum(a, SLICE("abc")));
	assert_null(giturl_checksum(a, SLICE("abcg")));
	assert_null(giturl_checksum(a, SLICE("sha256:aaaa")));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
