// SPDX-License-Identifier: Apache-2.0
/* Lines of records: what is taken, and what moves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/recordline.h"

static void test_lines(void **state)
{
	char text[] = "form 1\nkey a b\nkey \nend\nrest";
	char *p = text;

	(void)state;
	assert_null(recordline_value(&p, "key "));
	assert_ptr_equal(text, p);
	assert_true(recordline_is(&p, "form 1"));
	assert_string_equal("a b", recordline_value(&p, "key "));
	assert_string_equal("", recordline_value(&p, "key "));
	assert_true(recordline_is(&p, "end"));
	/* no newline: torn */
	assert_null(recordline_value(&p, "rest"));
	assert_false(recordline_is(&p, "rest"));
	assert_string_equal("rest", p);
}

/* A later version is another one. */
static void test_version(void **state)
{
	char text[] = "form 10\n";
	char *p = text;

	(void)state;
	assert_false(recordline_is(&p, "form 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_version),
	};
	return cmocka_run_group_tests_name("recordline", tests, NULL, NULL);
}
