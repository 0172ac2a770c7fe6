// SPDX-License-Identifier: Apache-2.0
/* Sandboxes that run a command: its result, environment, identity and what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "tests/support/sandbox_box.h"

static int setup(void **state)
{
	struct box *b = mem_alloc(sizeof(*b));

	sandbox_box_init(b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	sandbox_box_clear(*state);
	free(*state);
	return 0;
}

static void expect(struct box *b, const char *script, const char *text)
{
	char *got = sandbox_box_sh(b, 0, script);

	assert_string_equal(got, text);
	free(got);
}

static void test_output(void **state)
{
	expect(*state, "echo hello; echo err >&2", "hello\nerr\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
	};
	const char *why = sandbox_box_missing();

	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
