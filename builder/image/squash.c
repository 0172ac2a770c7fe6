// SPDX-License-Identifier: Apache-2.0
/*
 * --squash: the difference of two trees, the base's and the result's, as one layer. Files that came
 * and went between are in neither. The entries of history stay, marked as without a layer, and one
 * is added for the new one.
 */
#include "builder/image/squash.h"

#include <stdlib.h>

#include "builder/cache/commit.h"
#include "builder/image/history.h"
#include "store/base/mem.h"
#include "store/layerstack.h"
#include "store/oci/oci.h"
#include "store/snapshot.h"
#include "store/tree/tree.h"

static void mark_empty(struct oci_config *c, size_t from)
{
	for (size_t i = from; i < c->nhistory; i++)
		c->history[i].empty_layer = true;
}

static void squash_add_entry(struct oci_config *c, size_t merged)
{
	auto_free char *text = mem_printf("squash: %zu layers", merged);
	struct oci_history h = {.created_by = text, .comment = mem_strdup(HISTORY_COMMENT)};

	oci_config_add_history(c, &h);
	free(h.comment);
}

int squash_layers(
	struct store *s, struct oci_config *c, size_t nbase, size_t nbase_history, struct err **err)
{
	size_t merged = c->ndiff_ids - nbase;
	struct record r = {0};

	if (merged < 2)
		return 0;
	const struct layer_stack all = {.diff_ids = c->diff_ids, .n = c->ndiff_ids},
				 base = layerstack_first(&all, nbase);
	auto_layer_tree struct layer_tree *below = snapshot_tree(s, &base, err);
	auto_layer_tree struct layer_tree *top = below ? snapshot_tree(s, &all, err) : NULL;
	if (!top)
		return -1;
	auto_layer_list struct layer_list *l = layer_difference(below, top);
	mark_empty(c, nbase_history);
	c->ndiff_ids = nbase;
	if (layer_list_count(l) == 0)
		return 0;
	if (commit_list(s, l, &r, err) < 0)
		return err_prefix(err, "--squash");
	oci_config_add_diff_id(c, &r.layer);
	squash_add_entry(c, merged);
	return 0;
}
