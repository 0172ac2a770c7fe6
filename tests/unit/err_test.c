// SPDX-License-Identifier: Apache-2.0
/* Errors: texts, system errors, exit statuses, and callers that do not want to know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "store/base/err.h"

static void test_set(void **state)
{
	struct err *e = NULL;

	(void)state;
	errno = 7;
	assert_int_equal(-1, err_set(&e, ERR_NET, "get %s", "x"));
	assert_int_equal(7, errno);
	assert_string_equal("get x", err_text(e));
	assert_int_equal(ERR_NET, err_get_kind(e));
	assert_int_equal(0, err_errno(e));
	assert_string_equal("", err_hint_text(e));
	assert_int_equal(-1, err_prefix(&e, "stage %s", "app"));
	assert_string_equal("stage app: get x", err_text(e));
	err_hint(&e, "first %d", 1);
	err_hint(&e, "second");
	assert_string_equal("first 1", err_hint_text(e));
	err_rekind(&e, ERR_PUSH);
	assert_int_equal(7, err_exit_status(e));
	err_free(e);
}

static void test_sys(void **state)
{
	struct err *e = NULL;

	(void)state;
	errno = ENOENT;
	assert_int_equal(-1, err_sys(&e, "open %s", "f"));
	assert_string_equal("open f: No such file or directory", err_text(e));
	assert_int_equal(ENOENT, err_errno(e));
	assert_int_equal(ENOENT, errno);
	assert_int_equal(ERR_SYS, err_get_kind(e));
	err_free(e);
	e = NULL;
	errno = EACCES;
	err_sys_kind(&e, ERR_CONTEXT, "f");
	assert_int_equal(4, err_exit_status(e));
	err_free(e);
}

static void test_null(void **state)
{
	(void)state;
	assert_int_equal(-1, err_set(NULL, ERR_SYS, "x"));
	assert_int_equal(-1, err_sys(NULL, "x"));
	assert_int_equal(-1, err_prefix(NULL, "x"));
	assert_int_equal(-1, err_hint(NULL, "x"));
	assert_int_equal(-1, err_rekind(NULL, ERR_SYS));
	err_free(NULL);
}

static void test_exit_status(void **state)
{
	static const int want[][2] = {{ERR_BUILD, 1}, {ERR_USAGE, 2}, {ERR_SYNTAX, 3},
		{ERR_CONTEXT, 4}, {ERR_NET, 5}, {ERR_AUTH, 6}, {ERR_PUSH, 7}, {ERR_SYS, 8},
		{ERR_SANDBOX, 9}, {ERR_CORRUPT, 10}, {ERR_NOT_FOUND, 4}, {ERR_LIMIT, 10},
		{ERR_UNSUPPORTED, 1}, {ERR_CANCELLED, 130}};

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		auto_err struct err *e = NULL;
		err_set(&e, (enum err_kind)want[i][0], "x");
		assert_int_equal(want[i][1], err_exit_status(e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_sys),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_exit_status),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
