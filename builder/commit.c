// SPDX-License-Identifier: Apache-2.0
#include "builder/commit.h"

#include <fcntl.h>

#include "builder/history.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/blob.h"
#include "store/snapshot.h"

int commit_list(struct store *s, struct layer_list *l, struct record *out, struct err **err)
{
	auto_blob_writer struct blob_writer *w = blob_create(s, err);

	if (!w || layer_list_write(l, blob_stream(w), err) < 0)
		return -1;
	if (blob_commit(w, NULL, &out->layer, NULL, err) < 0)
		return -1;
	out->created = now_seconds();
	return 0;
}

static int freeze(struct job *j, struct state *st, const char *temp_name, struct digest *layer,
	struct err **err)
{
	auto_free char *path = mem_printf("%s/upper", temp_name);
	auto_fd int upper = openat(store_tmp_fd(j->s), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (upper < 0)
		return err_sys(err, "upper directory of the step");
	const struct layer_tree *below = state_tree(st, j->s, err);
	if (!below)
		return -1;
	auto_blob_writer struct blob_writer *w = blob_create(j->s, err);
	if (!w)
		return -1;
	struct layer_freeze f = {.upper_fd = upper, .below = below, .cut_times = true};
	if (layer_freeze(&f, blob_stream(w), NULL, err) < 0)
		return -1;
	return blob_commit(w, NULL, layer, NULL, err);
}

int commit_upper(struct job *j, struct state *st, const char *temp_name, struct record *out,
	struct err **err)
{
	const struct oci_config *c = &st->config;

	if (freeze(j, st, temp_name, &out->layer, err) < 0)
		return -1;
	struct digest *stack = mem_array(c->ndiff_ids + 1, sizeof *stack);
	for (size_t i = 0; i < c->ndiff_ids; i++)
		stack[i] = c->diff_ids[i];
	stack[c->ndiff_ids] = out->layer;
	int r = snapshot_adopt(j->s, stack, c->ndiff_ids + 1, temp_name, err);
	free(stack);
	out->created = now_seconds();
	return r;
}

void commit_to_state(
	struct state *st, const struct record *r, const struct digest *key, const char *created_by)
{
	oci_config_add_diff_id(&st->config, &r->layer);
	history_add(st, created_by, false, r->created);
	st->key = *key;
}
