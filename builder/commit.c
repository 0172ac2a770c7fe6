// SPDX-License-Identifier: Apache-2.0
#include "builder/commit.h"

#include <fcntl.h>

#include "builder/history.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/blob.h"
#include "store/snapshot.h"

int commit_layer(struct store *s, int (*fill)(void *ctx, struct layer_writer *w, struct err **err),
	void *ctx, struct record *out, struct err **err)
{
	auto_blob_writer struct blob_writer *b = blob_create(s, err);

	if (!b)
		return -1;
	auto_layer_writer struct layer_writer *w = layer_writer_into(blob_pipe(b));
	if (fill(ctx, w, err) < 0 || blob_commit(b, NULL, &out->layer, NULL, err) < 0)
		return -1;
	out->created = now_seconds();
	return 0;
}

static int fill_list(void *ctx, struct layer_writer *w, struct err **err)
{
	return layer_list_put(ctx, w, err);
}

int commit_list(struct store *s, struct layer_list *l, struct record *out, struct err **err)
{
	return commit_layer(s, fill_list, l, out, err);
}

static int fill_copy(void *ctx, struct layer_writer *w, struct err **err)
{
	return copy_write(ctx, w, err);
}

int commit_copy(struct store *s, struct copy_placed *p, struct record *out, struct err **err)
{
	return commit_layer(s, fill_copy, p, out, err);
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
