// SPDX-License-Identifier: Apache-2.0
/* Nothing of the host is reachable from the root of a sandbox: not by "..", not in its mount table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "store/base/mem.h"
#include "tests/support/sandbox_box.h"

static void dotdot_of_root_is_root(void **state)
{
	char *got = sandbox_box_sh(*state, 0,
		"cd /; a=$(stat -c %d:%i .); b=$(stat -c %d:%i ..); c=$(stat -c %d:%i "
		"/proc/../..); "
		"[ $a = $b ] && [ $a = $c ] && echo same");

	assert_string_equal(got, "same\n");
	free(got);
}

static void one_mount_has_no_visible_parent(void **state)
{
	/* Exactly one mount point "/": an old root left on top of it would be a second one. */
	char *got = sandbox_box_sh(*state, 0, "awk '$5 == \"/\"' /proc/self/mountinfo | wc -l");

	assert_string_equal(got, "1\n");
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dotdot_of_root_is_root),
		cmocka_unit_test(one_mount_has_no_visible_parent),
	};
	const char *why = sandbox_box_missing();

	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, sandbox_box_setup, sandbox_box_teardown);
}
