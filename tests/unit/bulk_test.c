// SPDX-License-Identifier: Apache-2.0
/* Large tables: zeroed, kept when they grow, in a file without a name or in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/bulk.h"

static void fill_and_look(void)
{
	uint64_t *v = NULL;
	size_t n = 0, cap = 0, most = 4 * BULK_MIN / sizeof *v;

	while (n < most) {
		const uint64_t i = n;

		BULK_PUSH(v, n, cap) = i;
	}
	for (size_t i = 0; i < most; i++)
		assert_int_equal(v[i], i);
	v = bulk_grow(v, cap * sizeof *v, 2 * cap * sizeof *v);
	for (size_t i = cap; i < 2 * cap; i++)
		assert_int_equal(v[i], 0);
	bulk_free(v, 2 * cap * sizeof *v);
}

static void test_in_a_file(void **state)
{
	(void)state;
	unsetenv("TMPDIR");
	fill_and_look();
}

static void test_where_no_file_can_be_had(void **state)
{
	(void)state;
	setenv("TMPDIR", "/proc", 1);
	fill_and_look();
	unsetenv("TMPDIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_a_file),
		cmocka_unit_test(test_where_no_file_can_be_had),
	};

	return cmocka_run_group_tests_name("bulk", tests, NULL, NULL);
}
