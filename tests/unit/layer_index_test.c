// SPDX-License-Identifier: Apache-2.0
// EROFS indexes of single features, mounted: each shows what the unpacked layers show. Needs root
// and a kernel that mounts them from files.
#include "tests/unit/index_kit.h"

#define LAYERS_MAX 6

struct stack {
	size_t n;
	int tar[LAYERS_MAX];
	struct layer_tree
		*below[LAYERS_MAX + 1]; /* [i]: what is below layer i; the last one: all */
	char unpacked[LAYERS_MAX][128];
	char mounted[LAYERS_MAX][128];
};

static void add_layer(struct world *w, struct stack *s, int take_tar)
{
	size_t i = s->n++;
	s->tar[i] = take_tar;
	if (i == 0)
		s->below[0] = layer_tree_new();
	s->below[i + 1] = layer_tree_new();
	for (size_t k = 0; k <= i; k++)
		assert_ok(layer_tree_apply(s->below[i + 1], dup(s->tar[k]), err));
	const struct layer_tree *below = i ? s->below[i] : NULL;

	int dir = kit_new_dir(w, s->unpacked[i]);
	struct layer_unpack u = {.dest_fd = dir, .below = below};
	assert_ok(layer_unpack(take_tar, &u, err));
	int at = kit_mount_layer(w, take_tar, below);
	assert_true(assert_same(at, dir, SAME_NLINK | SAME_DIRS | RAW_LAYER) < 1000000);
	close(kit_new_dir(w, s->mounted[i]));
	assert_int_equal(move_mount(at, "", AT_FDCWD, s->mounted[i], MOVE_MOUNT_F_EMPTY_PATH), 0);
	close(at);
	close(dir);
}

/* The overlay of the indexes, and the merged index, against the overlay of the directories. */
static size_t finish(struct world *w, struct stack *s)
{
	char over_dirs[128], over_indexes[128];
	int dirs, indexes = -1;
	if (s->n > 1) {
		dirs = kit_overlay(w, s->unpacked, s->n, over_dirs);
		indexes = kit_overlay(w, s->mounted, s->n, over_indexes);
		assert_same(indexes, dirs, SAME_NLINK | SAME_DIRS);
		close(indexes);
		kit_drop_dir(over_indexes);
	} else {
		dirs = open(s->unpacked[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	int merged = kit_mount_tree(w, s->below[s->n]);
	size_t seen = assert_same(merged, dirs, NO_ROOT_MARK);
	assert_links(s->below[s->n], merged);
	close(merged);
	close(dirs);
	if (s->n > 1)
		kit_drop_dir(over_dirs);
	for (size_t i = 0; i < s->n; i++) {
		kit_drop_dir(s->mounted[i]);
		kit_drop_dir(s->unpacked[i]);
		close(s->tar[i]);
	}
	for (size_t i = 0; i <= s->n; i++)
		layer_tree_free(s->below[i]);
	return seen;
}

static void test_basic(void **state)
{
	struct world *w = *state;
	struct stack s = {0};
	NEEDS_EROFS(w);
	add_layer(w, &s,
		KIT_TAR(DIR_("d"), FILE_("d/f", "hello"), LINK_("l", "d/f"), HARD_("h", "d/f")));
	add_layer(w, &s, KIT_TAR(WH_("d/f"), FILE_("d/g", "x"), OPQ_("e"), HARD_("k", "h")));
	assert_int_equal(finish(w, &s), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basic),
	};
	return cmocka_run_group_tests(tests, world_up, world_down);
}
