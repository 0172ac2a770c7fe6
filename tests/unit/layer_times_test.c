// SPDX-License-Identifier: Apache-2.0
/* Whole times beside a layer: what is noted comes back, and what is damaged is told. */
#include "store/tar/times.h"
#include "tests/unit/layer_kit.h"

static void note(struct layer_times *t, uint32_t ns, enum layer_type type)
{
	struct layer_entry e = {.path = "x", .type = type, .mtime_ns = ns, .fd = -1};

	layer_times_entry(t, &e);
}

static void test_round_trip(void **state)
{
	(void)state;
	auto_layer_times struct layer_times t;
	struct layer_times_reader r;
	const struct timespec late = {.tv_sec = 1700000000, .tv_nsec = 7},
			      early = {.tv_sec = -5, .tv_nsec = 999999999};

	layer_times_init(&t);
	assert_false(layer_times_any(&t));
	note(&t, 0, LAYER_FILE);
	note(&t, 5, LAYER_HARDLINK); /* the file's */
	assert_false(layer_times_any(&t));
	note(&t, 999999999, LAYER_FILE);
	layer_times_dir(&t, "a/b", &late);
	for (int i = 0; i < 300; i++)
		note(&t, 0, LAYER_DIR);
	note(&t, 1, LAYER_SYMLINK);
	layer_times_dir(&t, "c", &early);
	assert_ok(layer_times_check(&t, err));

	assert_ok(layer_times_open(&r, &t, err));
	assert_int_equal(layer_times_next(&r, NULL), 1);
	assert_true(r.entry == 3 && r.nsec == 999999999);
	assert_int_equal(layer_times_next(&r, NULL), 1);
	assert_true(r.entry == 0 && r.sec == 1700000000 && r.nsec == 7 && r.path_len == 3);
	assert_memory_equal(r.path, "a/b", 3);
	assert_int_equal(layer_times_next(&r, NULL), 1);
	assert_true(r.entry == 304 && r.nsec == 1);
	assert_int_equal(layer_times_next(&r, NULL), 1);
	assert_true(r.entry == 0 && r.sec == -5 && r.nsec == 999999999);
	assert_int_equal(layer_times_next(&r, NULL), 0);
}

/* Every cut and every changed byte: an error or something that can be read, never more than that.
 */
static void test_damage(void **state)
{
	(void)state;
	auto_layer_times struct layer_times t;
	const struct timespec time = {.tv_sec = 1, .tv_nsec = 2};

	layer_times_init(&t);
	note(&t, 3, LAYER_FILE);
	layer_times_dir(&t, "dir", &time);
	note(&t, 4, LAYER_FILE);
	for (size_t cut = 1; cut < t.b.len; cut++) {
		for (int how = 0; how < 2; how++) {
			auto_layer_times struct layer_times d;
			struct layer_times_reader r;
			struct err *e = NULL;
			int n = 0, rc;
			layer_times_init(&d);
			buf_add(&d.b, t.b.data, how ? t.b.len : cut);
			if (how)
				d.b.data[cut] = (char)0xff;
			rc = layer_times_open(&r, &d, &e);
			while (rc == 0 && (rc = layer_times_next(&r, &e)) > 0 && ++n < 10)
				rc = 0;
			assert_true(n < 10);
			if (rc < 0)
				assert_int_equal(err_get_kind(e), ERR_CORRUPT);
			err_free(e);
		}
	}
}

/* Times of another layer are not taken: a directory that is not there, a file. */
static void test_foreign(void **state)
{
	(void)state;
	static const char *const names[] = {"none", "f", "d/none", ".."};
	const struct timespec time = {.tv_sec = 1};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		auto_layer_times struct layer_times t;
		auto_layer_tree struct layer_tree *tree = layer_tree_new();
		layer_times_init(&t);
		layer_times_dir(&t, names[i], &time);
		assert_fails(
			layer_tree_apply_timed(tree, KIT_TAR(DIR_("d"), FILE_("f", "x")), &t, err),
			ERR_CORRUPT, "name what is not there");
	}
}

/* A tree shows them to forms and entries; the seconds of a moved directory stay the tar's. */
static void test_tree(void **state)
{
	(void)state;
	auto_layer_times struct layer_times t;
	auto_layer_tree struct layer_tree *tree = layer_tree_new();
	const struct timespec time = {.tv_sec = 77, .tv_nsec = 8};
	struct layer_entry e;

	assert_ok(layer_tree_apply(tree, KIT_TAR(DIR_("d"), FILE_("d/f", "x")), err));
	layer_times_init(&t);
	layer_times_dir(&t, "d", &time);
	note(&t, 9, LAYER_FILE);
	assert_ok(layer_tree_apply_timed(tree, KIT_TAR(FILE_("g", "x")), &t, err));
	layer_node_attrs(layer_tree_lookup(tree, "d", false, NULL, NULL), &e);
	assert_int_equal(e.mtime, 1000);
	assert_non_null(e.moved);
	assert_true(e.moved->tv_sec == 77 && e.moved->tv_nsec == 8);
	layer_node_attrs(layer_tree_lookup(tree, "g", false, NULL, NULL), &e);
	assert_true(e.mtime == 1000 && e.mtime_ns == 9 && !e.moved);
	assert_non_null(layer_tree_lookup(tree, "d/f", false, NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
