// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps the lowers of a stage in step with its layers. While layers are pending only those above
 * them are added, if they can be; otherwise the stage settles and all lowers are asked for anew.
 * The tree that grows on the way belongs to the state and is handed back even after an error.
 */
#include "builder/cache/stagelowers.h"

#include "builder/cache/lowers.h"
#include "builder/cache/pending.h"
#include "store/lower.h"

static struct lowers_request stagelowers_request(
	struct session *se, struct state *st, struct snapshot_grown *below, struct err **err)
{
	*below = (struct snapshot_grown){.tree = st->tree, .n = st->tree_layers};
	return (struct lowers_request){
		.s = se->s,
		.runner = session_runner(se, err),
		.form = se->o->layer_form,
		.k = state_stack(st),
		.base = st->nbase,
		.below = below,
	};
}

static void take_tree(struct state *st, const struct snapshot_grown *below)
{
	st->tree = below->tree;
	st->tree_layers = below->n;
}

int stagelowers_keep_up(struct session *se, struct state *st, struct err **err)
{
	struct snapshot_grown below;

	if (st->nlowered == st->config.ndiff_ids || !pending_any(st->pending))
		return 0;
	struct lowers_request q = stagelowers_request(se, st, &below, err);
	int r = q.runner ? lowers_add(&q, st->nlowered, &st->lowers, err) : -1;
	take_tree(st, &below);
	if (r == 1)
		st->nlowered = st->config.ndiff_ids;
	return r < 0 ? -1 : 0;
}

/* Before the state's tree has all layers: on its way there it serves those that need one. */
int stagelowers_find(struct session *se, struct state *st, struct err **err)
{
	auto_lowers struct lowers found = {0};
	struct snapshot_grown below;

	if (st->nlowered == st->config.ndiff_ids)
		return 0;
	if (state_settle(st, err) < 0)
		return -1;
	struct lowers_request q = stagelowers_request(se, st, &below, err);
	int r = q.runner ? lowers_open(&q, &found, err) : -1;
	take_tree(st, &below);
	if (r < 0)
		return -1;
	lower_clear_all(&st->lowers);
	st->lowers = found;
	st->nlowered = st->config.ndiff_ids;
	found = (struct lowers){0};
	return 0;
}
