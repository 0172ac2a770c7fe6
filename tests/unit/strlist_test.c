// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/strlist.h"

#include "store/base/mem.h"

static void test_list(void **state)
{
	struct strlist l = {0}, copy = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		strlist_addf(&l, "n%02d", 99 - i);
		assert_null(l.v[l.n]);
	}
	assert_int_equal(100, l.n);
	assert_true(strlist_has(&l, "n42"));
	assert_false(strlist_has(&l, "n4"));
	strlist_copy(&copy, &l);
	assert_true(strlist_equal(&copy, &l));
	strlist_sort(&copy);
	assert_string_equal("n00", copy.v[0]);
	assert_string_equal("n99", copy.v[99]);
	assert_false(strlist_equal(&copy, &l));
	strlist_remove(&copy, 0);
	strlist_remove(&copy, 98);
	assert_int_equal(98, copy.n);
	assert_null(copy.v[98]);
	assert_string_equal("n98", copy.v[97]);
	strlist_copy(&copy, &l);
	assert_true(strlist_equal(&copy, &l));
	strlist_clear(&l);
	strlist_clear(&copy);
	assert_null(l.v);
	strlist_sort(&l);
}

static void test_kv(void **state)
{
	struct strlist l = {0};

	(void)state;
	strlist_set_kv(&l, "A", "1");
	strlist_set_kv(&l, "AB", "2=3");
	strlist_add(&l, "NAKED");
	assert_string_equal("1", strlist_get_kv(&l, "A"));
	assert_string_equal("2=3", strlist_get_kv(&l, "AB"));
	assert_null(strlist_get_kv(&l, "NAKED"));
	assert_null(strlist_get_kv(&l, "B"));
	strlist_set_kv(&l, "A", "");
	assert_string_equal("A=", l.v[0]);
	assert_int_equal(3, l.n);
	strlist_unset_kv(&l, "A");
	strlist_unset_kv(&l, "A");
	assert_int_equal(2, l.n);
	assert_string_equal("AB=2=3", l.v[0]);
	strlist_add_take(&l, mem_strdup("x"));
	assert_string_equal("x", l.v[2]);
	strlist_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_kv),
	};
	return cmocka_run_group_tests_name("strlist", tests, NULL, NULL);
}
