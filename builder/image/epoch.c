// SPDX-License-Identifier: Apache-2.0
/*
 * The word "context" is replaced before the plan is made, so that ARG gives stages the number. What
 * an ARG of the file says is known only when the plan has expanded it, and is read from there.
 */
#include "builder/image/epoch.h"

#include <string.h>

#include "builder/plan/dferr.h"
#include "builder/plan/scope.h"
#include "parser/words.h"
#include "store/base/mem.h"
#include "store/tree/tree.h"

#define SECONDS_MAX UINT64_C(253402300799) /* the end of the year 9999 */

/* Depth is limited by that of the tree (LAYER_DEPTH_MAX). */
static int64_t newest(const struct layer_node *n, int64_t so_far)
{
	for (size_t i = 0; i < layer_node_nchildren(n); i++) {
		struct layer_node *child = layer_node_child(n, i);
		struct layer_entry e;

		layer_node_attrs(child, &e);
		if (e.mtime > so_far)
			so_far = e.mtime;
		so_far = newest(child, so_far);
	}
	return so_far;
}

static bool asks_context(const char *value)
{
	return value && strcmp(value, EPOCH_CONTEXT) == 0;
}

/* The last ARG of the name in front of the first FROM, which may have no value; NULL: none. */
static const struct ast_pair *global_of(const struct dockerfile *df)
{
	const struct ast_pair *found = NULL;

	for (size_t i = 0; i < df->globals.count; i++) {
		const struct ast_pairs *pairs = &df->globals.items[i]->pairs;

		for (size_t k = 0; k < pairs->count; k++)
			if (slice_eq_str(pairs->items[k].key.text, EPOCH_ARG))
				found = &pairs->items[k];
	}
	return found;
}

void epoch_arguments(const struct dockerfile *df, const struct context *c,
	const struct strlist *given, struct strlist *out)
{
	const char *value = strlist_get_kv(given, EPOCH_ARG);
	const struct ast_pair *pair = value ? NULL : global_of(df);
	bool of_file = pair && slice_eq_str(pair->value.text, EPOCH_CONTEXT);
	int64_t time = c->modified ? c->modified : -1;

	strlist_copy(out, given);
	if (!asks_context(value) && !of_file)
		return;
	if (time < 0 && c->tree)
		time = newest(layer_tree_root(c->tree), -1);
	if (time >= 0) {
		auto_free char *number = mem_printf("%lld", (long long)time);
		strlist_set_kv(out, EPOCH_ARG, number);
	} else if (of_file) {
		strlist_set_kv(out, EPOCH_ARG, "");
	} else {
		strlist_unset_kv(out, EPOCH_ARG);
	}
}

static bool epoch_seconds(const char *text, int64_t *out)
{
	uint64_t n;

	if (!words_number(slice_of(text), 10, SECONDS_MAX, &n))
		return false;
	*out = (int64_t)n;
	return true;
}

int epoch_times(const struct build_opts *o, const struct dockerfile *df, const struct plan *p,
	const struct strlist *args, struct build_times *out, struct err **err)
{
	const char *given = strlist_get_kv(args, EPOCH_ARG), *value = given;
	const struct ast_pair *pair = global_of(df);

	*out = (struct build_times){
		.set = o->has_timestamp, .clamp = o->has_epoch, .seconds = o->timestamp};
	if (!value && pair)
		value = scope_get(&p->globals, EPOCH_ARG);
	/* What the command line said as a number was checked there, --timestamp is stronger. */
	if (!value || !*value || o->has_epoch)
		return 0;
	int64_t n;
	if (!epoch_seconds(value, &n))
		return dferr_at(err, ERR_SYNTAX, df,
			pair && !given ? pair->value.span : (struct span){0, 0},
			"\"date +%s\" prints the present one; \"" EPOCH_CONTEXT
			"\" is the time of the build context",
			EPOCH_ARG ": \"%s\" is not a number of seconds since 1970", value);
	if (o->has_timestamp)
		return 0;
	out->clamp = true;
	out->seconds = n;
	return 0;
}
