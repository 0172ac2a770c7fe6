// SPDX-License-Identifier: Apache-2.0
/* An overlay upper becomes a tar, in one pass and in writing order: nothing is collected. */
#include "store/tree/freeze.h"

#include "store/tree/upperscan.h"
#include "store/tar/entry.h"
#include "store/tar/write.h"

struct freeze {
	struct layer_writer *w;
	size_t n;
};

static int tree_freeze_write_entry(void *ctx, const struct layer_entry *e, struct err **err)
{
	struct freeze *f = ctx;
	f->n++;
	return layer_writer_add(f->w, e, err);
}

int layer_freeze(
	const struct layer_freeze *f, struct io_writer out, size_t *entries, struct err **err)
{
	auto_layer_writer struct layer_writer *w = layer_writer_new(out);
	struct freeze state = {.w = w};
	layer_writer_times(w, f->times);
	if (layer_upper_scan(f, LAYER_DIRS_PARENTS, tree_freeze_write_entry, &state, err) ||
		layer_writer_finish(w, err))
		return -1;
	if (entries)
		*entries = state.n;
	return 0;
}
