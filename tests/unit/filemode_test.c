// SPDX-License-Identifier: Apache-2.0
/* tests/cases/mode: a mode, the bits before, file or directory, the bits after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/filemode.h"
#include "tests/support/casefile.h"

static void test_cases(void **state)
{
	struct casefile c;
	size_t rows = 0;
	int bad = 0;

	(void)state;
	casefile_open(&c, "tests/cases/mode/modes.txt");
	while (casefile_next(&c)) {
		struct filemode mode;
		const char *why = NULL;
		char got[16] = "no";
		unsigned old;

		assert_int_equal(c.count, 4);
		old = (unsigned)strtoul(c.field[1], NULL, 8);
		if (filemode_parse(slice_of(c.field[0]), &mode, &why))
			snprintf(got, sizeof got, "%04o",
				filemode_apply(&mode, old, c.field[2][0] == 'd'));
		else
			assert_non_null(why);
		if (strcmp(got, c.field[3]) != 0) {
			print_error("line %zu: %s on %s: want %s, got %s\n", c.line, c.field[0],
				c.field[1], c.field[3], got);
			bad++;
		}
		rows++;
	}
	casefile_close(&c);
	assert_int_equal(bad, 0);
	assert_true(rows >= 100);
}

/* The limit of actions, and what comes with an octal mode. */
static void test_limits(void **state)
{
	char text[2 * (FILEMODE_ACTIONS_MAX + 1)];
	struct filemode mode;
	const char *why;

	(void)state;
	for (size_t i = 0; i <= FILEMODE_ACTIONS_MAX; i++)
		memcpy(text + 2 * i, "+x", 2);
	assert_true(filemode_parse(
		(struct slice){text, (size_t)2 * FILEMODE_ACTIONS_MAX}, &mode, &why));
	assert_int_equal(mode.count, FILEMODE_ACTIONS_MAX);
	assert_int_equal(filemode_apply(&mode, 0, false), 0111);
	assert_false(filemode_parse((struct slice){text, sizeof text}, &mode, &why));
	assert_string_equal(why, "it has too many parts");
	assert_true(filemode_parse(SLICE("0644"), &mode, &why));
	assert_true(mode.octal);
	assert_int_equal(mode.value, 0644);
	/* A type in the old mode does not come through. */
	assert_true(filemode_parse(SLICE("u+x"), &mode, &why));
	assert_false(mode.octal);
	assert_int_equal(filemode_apply(&mode, 0100644, false), 0744);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("filemode", tests, NULL, NULL);
}
