// SPDX-License-Identifier: Apache-2.0
/*
 * A collected layer: an array of entries, an arena for what they point to, and an open-addressing
 * table from path (and marker kind) to index. Hard links survive sorting and replacement: whichever
 * name is written first carries the content.
 */
#include "store/tar/list.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/bulk.h"
#include "store/base/mem.h"
#include "store/tar/arena.h"
#include "store/tar/entry.h"
#include "store/tar/name.h"
#include "store/tar/write.h"

enum marker { ENTRY, WHITEOUT, OPAQUE };

struct item {
	struct layer_entry e;
	bool linked; /* hard links name it */
};

struct layer_list {
	struct item *v; /* owned */
	size_t n;
	size_t cap;
	uint32_t *slots; /* owned; index + 1, 0 = free */
	size_t nslots;   /* a power of two, or 0 */
	struct layer_hash_key key;
	struct layer_arena arena;
	bool links; /* there are hard links */
	bool sorted;
};

struct layer_list *layer_list_new(void)
{
	struct layer_list *l = mem_alloc(sizeof *l);
	layer_hash_key_init(&l->key);
	l->sorted = true;
	return l;
}

void layer_list_free(struct layer_list *l)
{
	if (!l)
		return;
	layer_arena_clear(&l->arena);
	bulk_free(l->slots, l->nslots * sizeof *l->slots);
	bulk_free(l->v, l->cap * sizeof *l->v);
	free(l);
}

static enum marker marker_of(enum layer_type t)
{
	return t == LAYER_WHITEOUT ? WHITEOUT : t == LAYER_OPAQUE ? OPAQUE : ENTRY;
}

/* The slot that holds (path, marker), or the free one where it belongs. */
static uint32_t *list_slot_of(const struct layer_list *l, const char *path, enum marker m)
{
	size_t mask = l->nslots - 1;
	size_t i = (size_t)(layer_hash(&l->key, path, strlen(path)) + m) & mask;
	for (;; i = (i + 1) & mask) {
		uint32_t at = l->slots[i];
		if (!at)
			return &l->slots[i];
		const struct layer_entry *e = &l->v[at - 1].e;
		if (marker_of(e->type) == m && strcmp(e->path, path) == 0)
			return &l->slots[i];
	}
}

static void index_all(struct layer_list *l, size_t nslots)
{
	bulk_free(l->slots, l->nslots * sizeof *l->slots);
	l->slots = bulk_array(nslots, sizeof *l->slots);
	l->nslots = nslots;
	for (size_t i = 0; i < l->n; i++)
		*list_slot_of(l, l->v[i].e.path, marker_of(l->v[i].e.type)) = (uint32_t)i + 1;
}

static void copy_entry(struct layer_list *l, struct layer_entry *to, const struct layer_entry *e)
{
	struct layer_arena *a = &l->arena;
	*to = *e;
	to->path = layer_arena_strndup(a, e->path, strlen(e->path));
	to->link = e->link ? layer_arena_strndup(a, e->link, strlen(e->link)) : NULL;
	to->src_path =
		e->src_path ? layer_arena_strndup(a, e->src_path, strlen(e->src_path)) : NULL;
	to->xattrs = layer_arena_xattrs(a, e->xattrs, e->nxattrs);
	to->mem = e->source == LAYER_DATA_MEM ? layer_arena_dup(a, e->mem, (size_t)e->size) : NULL;
	to->extents = e->extents ? layer_arena_dup(a, e->extents, e->nextents * sizeof *e->extents)
				 : NULL;
	to->expect = e->expect ? layer_arena_dup(a, e->expect, sizeof *e->expect) : NULL;
}

static struct item *find_item(const struct layer_list *l, const char *path)
{
	uint32_t at = l->nslots ? *list_slot_of(l, path, ENTRY) : 0;
	return at ? &l->v[at - 1] : NULL;
}

/* Everything but the name goes from one item to the other; `from` becomes a link to it. */
static void move_content(struct item *to, struct item *from)
{
	const char *to_path = to->e.path, *from_path = from->e.path;
	to->e = from->e;
	to->e.path = to_path;
	to->linked = true;
	from->e = (struct layer_entry){.path = from_path,
		.type = LAYER_HARDLINK,
		.link = to_path,
		.mode = to->e.mode,
		.uid = to->e.uid,
		.gid = to->e.gid,
		.mtime = to->e.mtime};
}

/* The item that carries the content of a link; NULL when that is not in the list. */
static struct item *link_target(const struct layer_list *l, const struct layer_entry *e)
{
	struct item *t = find_item(l, e->link);
	for (size_t hops = 0; t && t->e.type == LAYER_HARDLINK; hops++)
		t = hops < l->n ? find_item(l, t->e.link) : NULL;
	return t;
}

/* v[at] is about to be replaced: links to it get its content. */
static void save_links(struct layer_list *l, size_t at)
{
	struct item *heir = NULL;
	for (size_t i = 0; i < l->n; i++) {
		struct item *it = &l->v[i];
		if (i == at || it->e.type != LAYER_HARDLINK ||
			strcmp(it->e.link, l->v[at].e.path) != 0)
			continue;
		if (heir) {
			it->e.link = heir->e.path;
			continue;
		}
		heir = it;
		struct item old = l->v[at];
		move_content(heir, &old);
	}
}

void layer_list_add(struct layer_list *l, const struct layer_entry *e)
{
	if (l->n * 2 >= l->nslots)
		index_all(l, l->nslots ? l->nslots * 2 : 64);
	uint32_t *slot = list_slot_of(l, e->path, marker_of(e->type));
	if (*slot) {
		size_t at = *slot - 1;
		if (l->v[at].linked)
			save_links(l, at);
		l->v[at].linked = false;
		copy_entry(l, &l->v[at].e, e);
	} else {
		struct item copy = {.linked = false};
		copy_entry(l, &copy.e, e);
		BULK_PUSH(l->v, l->n, l->cap) = copy;
		*slot = (uint32_t)l->n;
		if (l->sorted && l->n > 1 &&
			layer_entry_cmp(&l->v[l->n - 2].e, &l->v[l->n - 1].e) > 0)
			l->sorted = false;
	}
	if (e->type == LAYER_HARDLINK) {
		struct item *t = find_item(l, e->link);
		if (t)
			t->linked = true;
		l->links = true;
	}
}

size_t layer_list_count(const struct layer_list *l)
{
	return l->n;
}

const struct layer_entry *layer_list_find(const struct layer_list *l, const char *path)
{
	const struct item *it = find_item(l, path);
	return it ? &it->e : NULL;
}

const struct layer_entry *layer_list_at(const struct layer_list *l, size_t i)
{
	return &l->v[i].e;
}

static int item_cmp(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return layer_entry_cmp(&x->e, &y->e);
}

void layer_list_sort(struct layer_list *l)
{
	if (!l->sorted) {
		qsort(l->v, l->n, sizeof *l->v, item_cmp);
		index_all(l, l->nslots);
		l->sorted = true;
	}
	for (size_t i = 0; l->links && i < l->n; i++) {
		struct item *it = &l->v[i];
		if (it->e.type != LAYER_HARDLINK)
			continue;
		struct item *t = link_target(l, &it->e);
		if (!t)
			continue;
		if (t > it)
			move_content(it, t);
		else
			it->e.link = t->e.path;
	}
}

/* The entry whose content was not what it should be. */
static const struct layer_entry *list_changed(
	const struct layer_list *l, const struct layer_writer *w)
{
	const struct digest *expect = layer_writer_changed(w);
	for (size_t i = 0; expect && i < l->n; i++)
		if (l->v[i].e.expect == expect)
			return &l->v[i].e;
	return NULL;
}

int layer_list_put(struct layer_list *l, struct layer_writer *w, struct err **err)
{
	layer_list_sort(l);
	for (size_t i = 0; i < l->n; i++)
		if (layer_writer_add(w, &l->v[i].e, err))
			return -1;
	if (layer_writer_finish(w, err) == 0)
		return 0;
	const struct layer_entry *e = list_changed(l, w);
	auto_free char *shown = e ? layer_show(e->src_path ? e->src_path : e->path) : NULL;
	return shown ? err_prefix(err, "%s", shown) : -1;
}

int layer_list_write(struct layer_list *l, struct io_writer out, struct err **err)
{
	auto_layer_writer struct layer_writer *w = layer_writer_new(out);
	return layer_list_put(l, w, err);
}
