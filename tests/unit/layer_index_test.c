// SPDX-License-Identifier: Apache-2.0
// EROFS indexes of single features, mounted: each shows what the unpacked layers show. Needs root
// and a kernel that mounts them from files.
#include "tests/unit/index_kit.h"

static void test_basic(void **state)
{
	struct world *w = *state;
	struct stack s = {0};
	NEEDS_EROFS(w);
	stack_add(w, &s,
		KIT_TAR(DIR_("d"), FILE_("d/f", "hello"), LINK_("l", "d/f"), HARD_("h", "d/f")));
	stack_add(w, &s, KIT_TAR(WH_("d/f"), FILE_("d/g", "x"), OPQ_("e"), HARD_("k", "h")));
	assert_int_equal(stack_finish(w, &s), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basic),
	};
	return cmocka_run_group_tests(tests, world_up, world_down);
}
