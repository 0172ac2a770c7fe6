// SPDX-License-Identifier: Apache-2.0
/* Lists of strings; a long one, which has an index, against a short one's search by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/base/strlist.h"

#include "store/base/mem.h"

static bool same(const struct strlist *a, const struct strlist *b)
{
	size_t i = 0;

	while (i < a->n && i < b->n && strcmp(a->v[i], b->v[i]) == 0)
		i++;
	return i == a->n && i == b->n;
}

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
	assert_true(same(&copy, &l));
	strlist_sort(&copy);
	assert_string_equal("n00", copy.v[0]);
	assert_string_equal("n99", copy.v[99]);
	assert_false(same(&copy, &l));
	strlist_remove(&copy, 0);
	strlist_remove(&copy, 98);
	assert_int_equal(98, copy.n);
	assert_null(copy.v[98]);
	assert_string_equal("n98", copy.v[97]);
	strlist_copy(&copy, &l);
	assert_true(same(&copy, &l));
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

/* A long list has an index; whatever is done to it, it answers as a short one searched by hand. */
static void test_long_lists(void **state)
{
	struct strlist l = {0}, once = {0};
	unsigned random = 1;
	char *values[200] = {0};

	(void)state;
	for (int step = 0; step < 20000; step++) {
		random = random * 1103515245 + 12345;
		unsigned key = (random >> 16) % ARRAY_LEN(values), what = (random >> 8) % 16;
		auto_free char *name = mem_printf("k%u", key), *value = mem_printf("%u", random);

		if (what == 0) {
			strlist_unset_kv(&l, name);
			free(values[key]);
			values[key] = NULL;
		} else if (what == 1 && step % 50 == 0) {
			strlist_sort(&l);
		} else if (what < 8) {
			strlist_set_kv(&l, name, value);
			free(values[key]);
			values[key] = mem_strdup(value);
		} else if (what == 8 && !values[key]) {
			strlist_addf(&l, "%s=%s", name, value);
			values[key] = mem_strdup(value);
		}
		const char *found = strlist_get_kv(&l, name);
		assert_int_equal(!found, !values[key]);
		if (found)
			assert_string_equal(found, values[key]);
		assert_false(strlist_has(&l, name));
		strlist_add_once(&once, name);
		assert_true(strlist_has(&once, name));
		assert_null(strlist_get_kv(&once, name));
	}
	size_t set = 0;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		set += values[i] != NULL;
		free(values[i]);
	}
	assert_int_equal(l.n, set);
	assert_int_equal(once.n, ARRAY_LEN(values));
	/* Of two with one key the first one counts; "K" and "K=" are not the same. */
	strlist_clear(&l);
	for (unsigned i = 0; i < 100; i++)
		strlist_addf(&l, "a%u=1", i);
	strlist_add(&l, "k");
	strlist_add(&l, "k=first");
	strlist_add(&l, "k=second");
	strlist_set_kv(&l, "other", "x");
	assert_string_equal(strlist_get_kv(&l, "k"), "first");
	assert_true(strlist_has(&l, "k"));
	assert_true(strlist_has(&l, "k=second"));
	assert_false(strlist_has(&l, "k=third"));
	assert_string_equal(strlist_find_kv(&l, "k1", 1), "first");
	strlist_clear(&l);
	strlist_clear(&once);
}

static void test_split_kv(void **state)
{
	(void)state;
	static const struct {
		const char *pair, *key, *value;
	} t[] = {{"K=v", "K", "v"}, {"K=", "K", ""}, {"K", "K", NULL}, {"K=a=b", "K", "a=b"},
		{"=v", "", "v"}, {"", "", NULL}};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *value = "unset";
		auto_free char *key = strlist_split_kv(t[i].pair, &value);

		assert_string_equal(key, t[i].key);
		assert_int_equal(!value, !t[i].value);
		if (value)
			assert_string_equal(value, t[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_kv),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_split_kv),
	};
	return cmocka_run_group_tests_name("strlist", tests, NULL, NULL);
}
