// SPDX-License-Identifier: Apache-2.0
/* Cache records of steps: what is written is found again, and anything else is a miss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "builder/cache/commit.h"
#include "builder/cache/record.h"
#include "store/base/mem.h"
#include "store/cache.h"
#include "tests/support/storedir.h"

static const struct digest key = {{1, 2, 3}};

static struct record some_layer(struct store *s)
{
	auto_layer_list struct layer_list *l = layer_list_new();
	struct record r = {0};

	assert_int_equal(0, commit_list(s, l, &r, NULL));
	return r;
}

static void round_trip(void **state)
{
	struct storedir *d = *state;
	struct record r = some_layer(d->s), got = {0};

	assert_true(r.created > 1600000000);
	assert_int_equal(0, record_find(d->s, &key, &got, NULL));
	r.created = 1234567890123;
	assert_int_equal(0, record_put(d->s, &key, &r, NULL));
	assert_int_equal(1, record_find(d->s, &key, &got, NULL));
	assert_true(sha256_equal(&r.layer, &got.layer));
	assert_int_equal(1234567890123, got.created);
	assert_true(sha256_is_zero(&got.key));
	r.key.b[5] = 9;
	assert_int_equal(0, record_put(d->s, &key, &r, NULL));
	assert_int_equal(1, record_find(d->s, &key, &got, NULL));
	assert_true(sha256_equal(&r.key, &got.key));
}

static void layer_is_not_here(void **state)
{
	struct storedir *d = *state;
	struct record r = {.layer = {{5}}, .created = 1}, got = {.created = 77};

	assert_int_equal(0, record_put(d->s, &key, &r, NULL));
	assert_int_equal(0, record_find(d->s, &key, &got, NULL));
	assert_int_equal(77, got.created);
}

static void values_that_are_none(void **state)
{
	struct storedir *d = *state;
	struct record r = some_layer(d->s), got;
	char layer[DIGEST_STRING];
	const char *hex = sha256_string(&r.layer, layer);
	static const char *const forms[] = {
		"",
		"\n",
		"layer\ncreated 1\n",
		"layer %s\n",
		"layer %s0\ncreated 1\n",
		"layers %s\ncreated 1\n",
		"layer %s\ncreated 1\nkey sha256:1\n",
		"layer %s\ncreated 11111111111111111111111111111111111111\n",
		" layer %s\ncreated 1\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *mark = strstr(forms[i], "%s");
		auto_free char *value = mark ? mem_printf("%.*s%s%s", (int)(mark - forms[i]),
						       forms[i], hex, mark + 2)
					     : mem_strdup(forms[i]);
		assert_int_equal(0, cache_put(d->s, &key, value, strlen(value), NULL));
		assert_int_equal(0, record_find(d->s, &key, &got, NULL));
	}
	auto_free char *good = mem_printf("created 5\nother x\nlayer %s", hex);
	assert_int_equal(0, cache_put(d->s, &key, good, strlen(good), NULL));
	assert_int_equal(1, record_find(d->s, &key, &got, NULL));
	assert_int_equal(5, got.created);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_trip, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			layer_is_not_here, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			values_that_are_none, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
