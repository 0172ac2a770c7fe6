// SPDX-License-Identifier: Apache-2.0
/* The files of an image as one list, with the times that were asked for. */
#include "builder/output/output.h"

#include <stdlib.h>

#include "store/base/cancel.h"
#include "store/base/mem.h"
#include "store/snapshot.h"
#include "store/tar/list.h"
#include "store/tree/tree.h"

/* Where the content of a file begins in which tar, and which entry of the list it is. */
struct piece {
	int fd;
	uint64_t off;
	size_t at;
};

static int by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->fd != y->fd)
		return x->fd < y->fd ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static bool is_piece(const struct layer_entry *e, size_t i, struct piece *out)
{
	if (e->type != LAYER_FILE || e->source != LAYER_DATA_FD)
		return false;
	*out = (struct piece){e->fd, e->nextents ? e->extents[0].data : e->data_off, i};
	return true;
}

/*
 * A tree keeps the inodes of its layers apart: a hard link to a file of a lower layer is a copy
 * there, so that every form of the layers shows the same. Outside of the store it is one file
 * again. Two files that are the same piece of the same tar are such a pair; nothing else makes one.
 * Links to an empty file have no piece and stay files of their own.
 */
static void find_links(struct output_files *f)
{
	size_t n = layer_list_count(f->list), k = 0;
	auto_free struct piece *v = mem_array(n, sizeof *v);

	for (size_t i = 0; i < n; i++)
		k += is_piece(layer_list_at(f->list, i), i, &v[k]);
	qsort(v, k, sizeof *v, by_place);
	for (size_t i = 1, first = 0; i < k; i++) {
		if (v[i].fd != v[first].fd || v[i].off != v[first].off) {
			first = i;
			continue;
		}
		if (!f->first)
			f->first = mem_array(n, sizeof *f->first);
		f->first[v[i].at] = layer_list_at(f->list, v[first].at)->path;
	}
}

int output_files_open(struct store *s, const struct oci_config *c, const struct output_times *t,
	struct output_files *out, struct err **err)
{
	auto_layer_tree struct layer_tree *nothing = layer_tree_new();

	*out = (struct output_files){.times = t};
	const struct layer_stack k = {.diff_ids = c->diff_ids, .n = c->ndiff_ids};
	out->tree = snapshot_tree(s, &k, err);
	if (!out->tree)
		return -1;
	out->list = layer_difference(nothing, out->tree);
	layer_list_sort(out->list);
	find_links(out);
	return 0;
}

bool output_files_at(const struct output_files *f, size_t i, struct layer_entry *out)
{
	const struct output_times *t = f->times;

	*out = *layer_list_at(f->list, i);
	if (t->set || (t->clamp && out->mtime > t->seconds))
		out->mtime = t->seconds;
	if (f->first && f->first[i]) {
		*out = (struct layer_entry){.path = out->path,
			.type = LAYER_HARDLINK,
			.link = f->first[i],
			.mode = out->mode,
			.uid = out->uid,
			.gid = out->gid,
			.mtime = out->mtime,
			.fd = -1};
	}
	return *out->path != '\0';
}

int output_files_cancelled(const struct output_files *f, struct err **err)
{
	return cancel_asked(f->cancelled) ? err_set(err, ERR_CANCELLED, "stopped by a signal") : 0;
}

void output_files_clear(struct output_files *f)
{
	free(f->first);
	layer_list_free(f->list);
	layer_tree_free(f->tree);
	*f = (struct output_files){0};
}
