// SPDX-License-Identifier: Apache-2.0
#include "builder/output/output.h"
#include "store/snapshot.h"

int output_files_open(struct store *s, const struct oci_config *c, const struct output_times *t,
	struct output_files *out, struct err **err)
{
	auto_layer_tree struct layer_tree *nothing = layer_tree_new();

	*out = (struct output_files){.times = t};
	out->tree = snapshot_tree(s, c->diff_ids, c->ndiff_ids, err);
	if (!out->tree)
		return -1;
	out->list = layer_difference(nothing, out->tree);
	layer_list_sort(out->list);
	return 0;
}

bool output_files_at(const struct output_files *f, size_t i, struct layer_entry *out)
{
	const struct output_times *t = f->times;

	*out = *layer_list_at(f->list, i);
	if (t->set || (t->clamp && out->mtime > t->seconds))
		out->mtime = t->seconds;
	return *out->path != '\0';
}

int output_files_cancelled(const struct output_files *f, struct err **err)
{
	return f->cancelled && *f->cancelled ? err_set(err, ERR_CANCELLED, "stopped by a signal")
					     : 0;
}

void output_files_clear(struct output_files *f)
{
	layer_list_free(f->list);
	layer_tree_free(f->tree);
	*f = (struct output_files){0};
}
