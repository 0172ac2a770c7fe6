// SPDX-License-Identifier: Apache-2.0
/*
 * What one merged tree has over another, as one layer. A file counts as unchanged when it is the
 * same piece of the same tar: content is never read to find out.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/bulk.h"
#include "store/base/mem.h"
#include "store/tree/node.h"
#include "store/tar/entry.h"
#include "store/tar/list.h"
#include "store/tree/tree.h"

/* Which file of the file system a descriptor is: the same tar may be open twice. */
struct tar_id {
	int fd;
	dev_t dev;
	ino_t ino;
};

struct difference {
	struct layer_list *out;
	struct tar_id *tars; /* owned */
	size_t ntars, cap_tars;
	bool *touched; /* owned; by inode number of `top`: one of its names is reported, so all are
			*/
	char **names;  /* owned; by inode number: the first reported name */
	size_t ninos;
	bool marking; /* first pass: only `touched` is filled */
};

static const struct tar_id *tar_of(struct difference *d, int fd)
{
	struct stat st;

	for (size_t i = 0; i < d->ntars; i++)
		if (d->tars[i].fd == fd)
			return &d->tars[i];
	struct tar_id id = {.fd = fd};
	if (fstat(fd, &st) == 0) {
		id.dev = st.st_dev;
		id.ino = st.st_ino;
	}
	MEM_PUSH(d->tars, d->ntars, d->cap_tars) = id;
	return &d->tars[d->ntars - 1];
}

static bool difference_same_content(
	struct difference *d, const struct layer_entry *a, const struct layer_entry *b)
{
	if (a->source != b->source || a->source != LAYER_DATA_FD)
		return a->source == b->source;
	struct tar_id x = *tar_of(d, a->fd), y = *tar_of(d, b->fd);
	return a->data_off == b->data_off && x.ino == y.ino && x.dev == y.dev;
}

/* The time of a directory alone is no change. */
static bool equal(
	struct difference *d, const struct layer_node *below, const struct layer_node *top)
{
	struct layer_entry a, b;

	layer_node_attrs(below, &a);
	layer_node_attrs(top, &b);
	if (b.type == LAYER_DIR && a.type == LAYER_DIR)
		b.mtime = a.mtime;
	return layer_node_matches(below, &b) && difference_same_content(d, &a, &b);
}

static bool is_file(const struct layer_node *n)
{
	return layer_node_type(n) == LAYER_FILE;
}

static bool difference_is_dir(const struct layer_node *n)
{
	return n && layer_node_type(n) == LAYER_DIR;
}

static void report(struct difference *d, const struct layer_node *n)
{
	uint64_t ino = is_file(n) ? layer_node_ino(n) : 0;
	struct layer_entry e;

	if (d->marking) {
		d->touched[ino] = ino != 0;
		return;
	}
	layer_node_entry(n, &e);
	if (ino && d->names[ino]) {
		e.type = LAYER_HARDLINK;
		e.link = d->names[ino];
		e.source = LAYER_NO_DATA;
		e.size = 0;
		e.extents = NULL;
		e.nextents = 0;
	} else if (ino) {
		d->names[ino] = mem_strdup(e.path);
	}
	layer_list_add(d->out, &e);
}

static void report_gone(struct difference *d, const struct layer_node *n)
{
	struct layer_entry e;

	if (d->marking)
		return;
	layer_node_entry(n, &e);
	struct layer_entry gone = {.path = e.path, .type = LAYER_WHITEOUT, .fd = -1};
	layer_list_add(d->out, &gone);
}

static bool difference_compare(
	struct difference *d, const struct layer_node *below, const struct layer_node *top);

/* Is anything in the directory different? below: NULL, or a directory. */
static bool compare_children(
	struct difference *d, const struct layer_node *below, const struct layer_node *top)
{
	bool changed = false;

	for (size_t i = 0; i < layer_node_nchildren(top); i++) {
		const struct layer_node *c = layer_node_child(top, i);
		const char *name = layer_node_name(c);

		changed |= difference_compare(
			d, below ? layer_node_find(below, name, strlen(name)) : NULL, c);
	}
	for (size_t i = 0; below && i < layer_node_nchildren(below); i++) {
		const struct layer_node *c = layer_node_child(below, i);
		const char *name = layer_node_name(c);

		if (layer_node_find(top, name, strlen(name)))
			continue;
		report_gone(d, c);
		changed = true;
	}
	return changed;
}

/* Report a node and what is in it; true when there was something. A directory on the way to an
 * entry is reported too, as in every layer. */
static bool difference_compare(
	struct difference *d, const struct layer_node *below, const struct layer_node *top)
{
	bool changed = !below || !equal(d, below, top);

	if (is_file(top) && d->touched[layer_node_ino(top)])
		changed = true;
	if (difference_is_dir(top) &&
		compare_children(d, difference_is_dir(below) ? below : NULL, top))
		changed = true;
	if (changed)
		report(d, top);
	return changed;
}

struct layer_list *layer_difference(const struct layer_tree *below, const struct layer_tree *top)
{
	const struct layer_node *a = layer_tree_root(below), *b = layer_tree_root(top);
	struct difference d = {.out = layer_list_new(), .ninos = (size_t)top->last_ino + 1};

	d.touched = bulk_array(d.ninos, sizeof *d.touched);
	d.names = bulk_array(d.ninos, sizeof *d.names);
	d.marking = true;
	compare_children(&d, a, b);
	d.marking = false;
	compare_children(&d, a, b);
	if (!equal(&d, a, b))
		report(&d, b);
	for (size_t i = 0; i < d.ninos; i++)
		free(d.names[i]);
	bulk_free(d.names, d.ninos * sizeof *d.names);
	bulk_free(d.touched, d.ninos * sizeof *d.touched);
	free(d.tars);
	return d.out;
}
