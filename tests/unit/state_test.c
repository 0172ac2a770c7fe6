// SPDX-License-Identifier: Apache-2.0
/* The state of a stage: defaults, and a tree that grows with its layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "builder/cache/commit.h"
#include "builder/copy/copy.h"
#include "builder/plan/scope.h"
#include "builder/state.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "store/tree/tree.h"
#include "tests/support/storedir.h"

static void defaults(void **state)
{
	auto_state struct state st;
	auto_strlist struct strlist fallback = {0};

	(void)state;
	state_init(&st);
	assert_string_equal("/", state_workdir(&st));
	assert_string_equal("", state_user(&st));
	const struct strlist *sh = state_shell(&st, &fallback);
	assert_int_equal(2, sh->n);
	assert_string_equal("/bin/sh", sh->v[0]);
	assert_string_equal("-c", sh->v[1]);
	strlist_add(&st.config.shell, "/s");
	assert_ptr_equal(&st.config.shell, state_shell(&st, &fallback));
	st.config.working_dir = mem_strdup("");
	assert_string_equal("/", state_workdir(&st));
	state_default_path(&st);
	assert_string_equal(STATE_PATH_DEFAULT, strlist_get_kv(&st.config.env, "PATH"));
	strlist_set_kv(&st.config.env, "PATH", "/x");
	strlist_add(&st.config.env, "without-value");
	state_default_path(&st);
	state_inherit_env(&st);
	assert_string_equal("/x", scope_get(&st.scope, "PATH"));
	assert_int_equal(1, st.scope.vars.n);
}

static struct digest add_dir(struct state *st, struct store *s, const char *path)
{
	static const struct digest key = {{7}};
	const struct layer_tree *below = state_tree(st, s, NULL);
	auto_layer_list struct layer_list *l = copy_mkdir(below, path, 0, 0, 0, NULL);
	struct record r = {0};

	assert_int_equal(0, commit_list(s, l, &r, NULL));
	commit_to_state(st, &r, &key, "step");
	return r.layer;
}

static bool in_tree(struct state *st, struct store *s, const char *path)
{
	const struct layer_tree *t = state_tree(st, s, NULL);

	assert_non_null(t);
	return layer_tree_lookup(t, path, true, NULL, NULL);
}

static void tree_grows_with_layers(void **state)
{
	struct storedir *d = *state;
	struct state st, child;

	state_init(&st);
	assert_false(in_tree(&st, d->s, "/a"));
	struct digest layer = add_dir(&st, d->s, "/a");
	assert_true(sha256_equal(&layer, &st.config.diff_ids[0]));
	assert_true(in_tree(&st, d->s, "/a"));
	state_copy(&child, &st);
	assert_true(sha256_equal(&st.key, &child.key));
	add_dir(&child, d->s, "/a/b");
	assert_true(in_tree(&child, d->s, "/a/b"));
	assert_false(in_tree(&st, d->s, "/a/b"));
	assert_int_equal(2, child.config.nhistory);
	assert_int_equal(1, st.config.nhistory);
	assert_false(st.config.history[0].empty_layer);
	state_clear(&child);
	state_clear(&st);
}

static void layer_that_is_gone(void **state)
{
	struct storedir *d = *state;
	static const struct digest nowhere = {{1}};
	auto_state struct state st;
	auto_err struct err *err = NULL;

	state_init(&st);
	oci_config_add_diff_id(&st.config, &nowhere);
	assert_null(state_tree(&st, d->s, &err));
	assert_non_null(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test_setup_teardown(
			tree_grows_with_layers, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			layer_that_is_gone, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
