// SPDX-License-Identifier: Apache-2.0
/*
 * Building a delta. While entries come in, children are unsorted arrays and one table finds nodes
 * by (parent, name). Nodes of the tree below that a name passes through get a shadow here; shadows
 * that nothing depends on are dropped at the end. A node never leaves the table: what is removed is
 * marked NODE_GONE and used again when the name comes back.
 *
 * Whiteouts and opaque markers hide only what the lower node of a path shows, never what this layer
 * adds, so their place in the tar does not matter.
 */
#include "store/tree/node.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/bulk.h"
#include "store/base/mem.h"
#include "store/tar/arena.h"
#include "store/tree/restpath.h"
#include "store/tar/name.h"
#include "store/tar/walk.h"
#include "store/tree/tree.h"

#define DEFAULT_MODE 0755      /* of directories that are missing on the way */
#define IMPLIED_MAX  (1 << 20) /* such directories in one layer */

static const struct layer_inode default_dir = {.mode = DEFAULT_MODE, .type = LAYER_DIR, .fd = -1};

int layer_name_cmp(const char *a, size_t na, const char *b, size_t nb)
{
	int c = memcmp(a, b, na < nb ? na : nb);
	return c ? c : na < nb ? -1 : na > nb;
}

void layer_delta_init(struct layer_delta *d, const struct layer_tree *below, uint32_t *last_ino)
{
	memset(d, 0, sizeof *d);
	layer_hash_key_init(&d->key);
	d->root_inode = below ? below->root_inode : default_dir;
	d->root_inode.matched = d->root_inode.linked = false;
	d->root.type = LAYER_DIR;
	d->root.name = "";
	d->root.inode = &d->root_inode;
	d->root.lower = below ? layer_tree_root(below) : NULL;
	d->last_ino = last_ino ? last_ino : &d->own_ino;
	d->last_dir = mem_array(LAYER_PATH_MAX + 1, 1);
}

void layer_delta_clear(struct layer_delta *d)
{
	layer_arena_clear(&d->arena);
	bulk_free(d->slots, d->nslots * sizeof *d->slots);
	free(d->last_dir);
	d->slots = NULL;
	d->last_dir = NULL;
}

/* --- the table ------------------------------------------------------------------------------- */

static uint32_t delta_hash_of(
	const struct layer_delta *d, const struct layer_node *dir, const char *name, size_t len)
{
	uint64_t h =
		layer_hash(&d->key, name, len) ^ (uint64_t)(uintptr_t)dir * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h ^ h >> 32);
}

static struct layer_node **delta_slot_of(const struct layer_delta *d, const struct layer_node *dir,
	const char *name, size_t len, uint32_t hash)
{
	size_t mask = d->nslots - 1;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct layer_node *n = d->slots[i];
		if (!n || (n->hash == hash && n->parent == dir && n->name_len == len &&
				  memcmp(n->name, name, len) == 0))
			return &d->slots[i];
	}
}

static void delta_grow(struct layer_delta *d)
{
	struct layer_node **old = d->slots;
	size_t nold = d->nslots;
	d->nslots = nold ? nold * 2 : 64;
	d->slots = bulk_array(d->nslots, sizeof(struct layer_node *));
	for (size_t i = 0; i < nold; i++) {
		if (!old[i])
			continue;
		size_t at = old[i]->hash & (d->nslots - 1);
		while (d->slots[at])
			at = (at + 1) & (d->nslots - 1);
		d->slots[at] = old[i];
	}
	bulk_free(old, nold * sizeof *old);
}

static void append_child(struct layer_delta *d, struct layer_node *dir, struct layer_node *n)
{
	if (dir->nchild == dir->cap) {
		uint32_t cap = dir->cap ? dir->cap * 2 : 4;
		struct layer_node **bigger = layer_arena_alloc(&d->arena, cap * sizeof *bigger);
		if (dir->nchild)
			memcpy(bigger, dir->child, dir->nchild * sizeof *bigger);
		dir->child = bigger;
		dir->cap = cap;
	}
	dir->child[dir->nchild++] = n;
}

/* The node of this delta, which may be a whiteout or gone; NULL when there never was one. */
static struct layer_node *delta_find(
	const struct layer_delta *d, const struct layer_node *dir, const char *name, size_t len)
{
	return d->nslots ? *delta_slot_of(d, dir, name, len, delta_hash_of(d, dir, name, len))
			 : NULL;
}

/* What is below a directory of the delta and can be seen through it. */
static const struct layer_node *lower_dir(const struct layer_node *dir)
{
	bool visible = dir->lower && dir->lower->type == LAYER_DIR && !(dir->flags & NODE_HIDES);
	return visible ? dir->lower : NULL;
}

static struct layer_node *lower_child(const struct layer_node *dir, const char *name, size_t len)
{
	const struct layer_node *low = lower_dir(dir);
	return low ? layer_node_search(low, name, len) : NULL;
}

/* A node without type yet; NULL when there is no room for it. */
static struct layer_node *delta_make(struct layer_delta *d, struct layer_node *dir,
	const char *name, size_t len, struct err **err)
{
	size_t path_len = dir->path_len + (dir->parent ? 1u : 0u) + len;
	if (path_len > LAYER_PATH_MAX || dir->depth >= LAYER_DEPTH_MAX) {
		err_set(err, ERR_LIMIT, "a path of more than %d bytes or %d components",
			LAYER_PATH_MAX, LAYER_DEPTH_MAX);
		return NULL;
	}
	/* Directories that names only pass through count: 4 KiB of name can ask for a thousand. */
	if (d->used >= LAYER_ENTRIES_MAX) {
		err_set(err, ERR_LIMIT, "more than %d files and directories", LAYER_ENTRIES_MAX);
		return NULL;
	}
	if (d->used * 2 >= d->nslots)
		delta_grow(d);
	struct layer_node *n = layer_arena_alloc(&d->arena, sizeof *n);
	n->parent = dir;
	n->name = layer_arena_strndup(&d->arena, name, len);
	n->name_len = (uint16_t)len;
	n->path_len = (uint16_t)path_len;
	n->depth = (uint16_t)(dir->depth + 1);
	n->hash = delta_hash_of(d, dir, name, len);
	n->lower = lower_child(dir, name, len);
	*delta_slot_of(d, dir, name, len, n->hash) = n;
	d->used++;
	append_child(d, dir, n);
	return n;
}

/* The inode is shared: nothing is ever written to the inode of a directory below the root. */
static void set_default_dir(struct layer_node *n)
{
	n->inode = (struct layer_inode *)(uintptr_t)&default_dir;
	n->type = LAYER_DIR;
	n->flags = (n->flags & (uint8_t)~NODE_GONE) | NODE_EXPLICIT;
}

/* What the layer so far and the tree below show at a name; a shadow is made for the latter. */
static int delta_view(struct layer_delta *d, struct layer_node *dir, const char *name, size_t len,
	struct layer_node **out, struct err **err)
{
	struct layer_node *n = delta_find(d, dir, name, len);
	if (n) {
		*out = n->flags & NODE_GONE || n->type == LAYER_WHITEOUT ? NULL : n;
		return 0;
	}
	struct layer_node *low = lower_child(dir, name, len);
	*out = NULL;
	if (!low)
		return 0;
	n = delta_make(d, dir, name, len, err);
	if (!n)
		return -1;
	n->type = low->type;
	n->inode = low->inode;
	*out = n;
	return 0;
}

/* --- hiding and removing ------------------------------------------------------------------- */

static void forget_dir(struct layer_delta *d)
{
	d->last_node = NULL;
}

static void drop_children(struct layer_node *n)
{
	for (uint32_t i = 0; i < n->nchild; i++) {
		struct layer_node *c = n->child[i];
		c->lower = NULL;
		if (c->flags & NODE_GONE)
			continue;
		c->flags |= NODE_GONE | NODE_HIDES;
		drop_children(c);
	}
}

static bool has_explicit(const struct layer_node *n)
{
	if (n->flags & NODE_GONE)
		return false;
	if (n->flags & NODE_EXPLICIT)
		return true;
	for (uint32_t i = 0; i < n->nchild; i++)
		if (has_explicit(n->child[i]))
			return true;
	return false;
}

/* The lower side of `n` went out of sight: only what this layer brought itself stays. */
static void hide_children(struct layer_delta *d, struct layer_node *n)
{
	for (uint32_t i = 0; i < n->nchild; i++) {
		struct layer_node *c = n->child[i];
		if (c->flags & NODE_GONE || !c->lower)
			continue;
		if (c->type == LAYER_DIR && has_explicit(c)) {
			if (!(c->flags & NODE_EXPLICIT))
				set_default_dir(c);
			if (!(c->flags & NODE_HIDES))
				hide_children(d, c);
		} else if (!(c->flags & NODE_EXPLICIT)) {
			c->flags |= NODE_GONE;
			drop_children(c);
		}
		c->lower = NULL;
	}
}

static void make_opaque(struct layer_delta *d, struct layer_node *n)
{
	if (n->flags & NODE_HIDES)
		return;
	forget_dir(d);
	n->flags |= NODE_HIDES;
	if (n->lower)
		hide_children(d, n);
}

static int remove_lower(struct layer_delta *d, struct layer_node *dir, const char *name, size_t len,
	struct err **err)
{
	struct layer_node *n = delta_find(d, dir, name, len);
	if (!n) {
		if (!lower_child(dir, name, len))
			return 0;
		n = delta_make(d, dir, name, len, err);
		if (!n)
			return -1;
	} else if (n->flags & NODE_GONE || n->type == LAYER_WHITEOUT) {
		return 0;
	} else if (n->type == LAYER_DIR && has_explicit(n)) {
		/* The directory below is removed, the one of this layer stays. */
		if (!(n->flags & NODE_EXPLICIT))
			set_default_dir(n);
		make_opaque(d, n);
		return 0;
	} else if (n->flags & NODE_EXPLICIT) {
		return 0;
	}
	forget_dir(d);
	drop_children(n);
	n->type = LAYER_WHITEOUT;
	n->inode = NULL;
	n->flags = NODE_HIDES;
	return 0;
}

/* --- resolution ---------------------------------------------------------------------------- */

/* A symlink's target comes in front of what is left. */
static int delta_expand(
	struct layer_delta *d, struct layer_rest *rest, const char *target, struct err **err)
{
	d->link_bytes += strlen(target);
	if (d->link_bytes > LAYER_LINKS_BYTES)
		return err_set(err, ERR_LIMIT,
			"names lead through symbolic links of more than %llu bytes in all",
			(unsigned long long)LAYER_LINKS_BYTES);
	if (!layer_rest_link(rest, target))
		return err_set(err, ERR_CORRUPT, "more than %d symbolic links", LAYER_SYMLINKS_MAX);
	return 0;
}

/* One component. *out NULL: missing, and not to be made. */
static int delta_step(struct layer_delta *d, struct layer_rest *rest, struct layer_node *dir,
	const char *name, size_t len, bool create, struct layer_node **out, struct err **err)
{
	struct layer_node *n;
	if (delta_view(d, dir, name, len, &n, err))
		return -1;
	if (!n && !create) {
		*out = NULL;
		return 0;
	}
	if (!n) {
		/* 4 KiB of name can ask for a thousand of them. */
		if (++d->implied > IMPLIED_MAX)
			return err_set(err, ERR_LIMIT,
				"more than %d directories that no entry names", IMPLIED_MAX);
		n = delta_find(d, dir, name, len);
		if (n) /* a whiteout, or gone: a new directory in its place */
			n->flags |= NODE_HIDES;
		else
			n = delta_make(d, dir, name, len, err);
		if (!n)
			return -1;
		set_default_dir(n);
	}
	if (n->type == LAYER_SYMLINK) {
		*out = n->inode->link[0] == '/' ? &d->root : dir;
		return delta_expand(d, rest, n->inode->link, err);
	}
	if (n->type != LAYER_DIR && create) {
		char shown[64];
		size_t k = len < sizeof shown ? len : sizeof shown - 1;
		memcpy(shown, name, k);
		shown[k] = 0;
		auto_free char *text = layer_show(shown);
		return err_set(err, ERR_CORRUPT, "\"%s\" is not a directory", text);
	}
	*out = n->type == LAYER_DIR ? n : NULL;
	return 0;
}

/* From the root along `rest`; *out NULL: there is no such directory. */
static int delta_walk(struct layer_delta *d, struct layer_rest *rest, bool create,
	struct layer_node **out, struct err **err)
{
	struct layer_node *at = &d->root;
	const char *name;
	size_t k;
	int rc = 0;

	while (!rc && at && (k = layer_rest_next(rest, &name)) > 0) {
		if (k == 2 && name[0] == '.' && name[1] == '.')
			at = at->parent ? at->parent : at;
		else
			rc = delta_step(d, rest, at, name, k, create, &at, err);
	}
	*out = at;
	return rc;
}

/* The directory that path[0..len) names inside the root. *out NULL: there is none. */
static int delta_resolve(struct layer_delta *d, const char *path, size_t len, bool create,
	struct layer_node **out, struct err **err)
{
	if (len == 0) {
		*out = &d->root;
		return 0;
	}
	if (d->last_node && d->last_len == len && memcmp(d->last_dir, path, len) == 0) {
		*out = d->last_node;
		return 0;
	}
	struct layer_rest rest;
	struct layer_node *at = NULL;
	layer_rest_begin(&rest, path, len);
	if (delta_walk(d, &rest, create, &at, err))
		return -1;
	*out = at;
	if (at) {
		memcpy(d->last_dir, path, len);
		d->last_len = len;
		d->last_node = at;
	}
	return 0;
}

/* --- entries --------------------------------------------------------------------------------- */

/* The inode a hard link names. One of a lower layer is copied: layers share no inodes. */
static int link_inode(struct layer_delta *d, const struct layer_entry *e, struct layer_inode **out,
	struct err **err)
{
	const char *slash = strrchr(e->link, '/');
	size_t dir_len = slash ? (size_t)(slash - e->link) : 0;
	const char *base = slash ? slash + 1 : e->link;
	struct layer_node *dir, *t = NULL;

	if (delta_resolve(d, e->link, dir_len, false, &dir, err))
		return -1;
	if (dir && delta_view(d, dir, base, strlen(base), &t, err))
		return -1;
	if (!t || t->type == LAYER_DIR) {
		auto_free char *shown = layer_show(e->link);
		return err_set(err, ERR_CORRUPT, "a hard link to \"%s\", which is %s", shown,
			t ? "a directory" : "not in the image");
	}
	*out = t->inode;
	if (t->flags & NODE_EXPLICIT) {
		t->inode->linked = true;
		return 0;
	}
	*out = layer_arena_dup(&d->arena, t->inode, sizeof *t->inode);
	(*out)->ino = ++*d->last_ino;
	(*out)->linked = (*out)->matched = false;
	return 0;
}

/* Overlays ignore the mark of an opaque directory on the root of a layer: each name is removed. */
static int clear_root(struct layer_delta *d, struct err **err)
{
	const struct layer_node *low = d->root.lower;
	for (uint32_t i = 0; low && i < low->nchild; i++)
		if (remove_lower(d, &d->root, low->child[i]->name, low->child[i]->name_len, err))
			return -1;
	return 0;
}

static int set_root(struct layer_delta *d, const struct layer_entry *e, struct err **err)
{
	if (e->type == LAYER_OPAQUE)
		return clear_root(d, err);
	if (e->type != LAYER_DIR)
		return err_set(err, ERR_CORRUPT, "the root can only be a directory");
	d->root_inode = *layer_inode_new(&d->arena, e, d->last_ino);
	d->root.flags |= NODE_EXPLICIT;
	return 0;
}

/* An entry takes the place of a node that was there, or of none (fresh). */
static void delta_replace(
	struct layer_delta *d, struct layer_node *n, struct layer_inode *inode, bool fresh)
{
	bool was_dir = !fresh && !(n->flags & NODE_GONE) && n->type == LAYER_DIR;
	bool now_dir = inode->type == LAYER_DIR;

	if (!fresh && !(was_dir && now_dir))
		forget_dir(d);
	/* Something of this layer stood here that is no directory: it hid what is below. */
	bool covered = !fresh && !was_dir && n->flags & (NODE_EXPLICIT | NODE_HIDES | NODE_GONE);
	if (was_dir && !now_dir)
		drop_children(n);
	n->inode = inode;
	n->type = inode->type;
	n->flags = (uint8_t)((n->flags & NODE_HIDES) | NODE_EXPLICIT |
			     (covered || !now_dir ? NODE_HIDES : 0));
}

static int set_node(struct layer_delta *d, struct layer_node *dir, const struct layer_entry *e,
	const char *base, struct err **err)
{
	struct layer_inode *inode = NULL;
	size_t len = strlen(base);

	/* Before the old file of this name goes: a link may lead to it. */
	if (e->type != LAYER_HARDLINK)
		inode = layer_inode_new(&d->arena, e, d->last_ino);
	else if (link_inode(d, e, &inode, err))
		return -1;
	struct layer_node *n = delta_find(d, dir, base, len);
	bool fresh = !n;
	if (fresh)
		n = delta_make(d, dir, base, len, err);
	if (!n)
		return -1;
	delta_replace(d, n, inode, fresh);
	return 0;
}

int layer_delta_add(struct layer_delta *d, const struct layer_entry *e, struct err **err)
{
	const char *slash = strrchr(e->path, '/');
	const char *base = slash ? slash + 1 : e->path;
	size_t dir_len = slash ? (size_t)(slash - e->path) : 0;
	bool removes = e->type == LAYER_WHITEOUT || e->type == LAYER_OPAQUE;
	struct layer_node *dir;
	int rc;

	if (!*e->path)
		return set_root(d, e, err);
	if (e->type == LAYER_OPAQUE)
		dir_len = strlen(e->path);
	rc = delta_resolve(d, e->path, dir_len, !removes, &dir, err);
	if (!rc && dir && e->type == LAYER_OPAQUE)
		make_opaque(d, dir);
	else if (!rc && dir && e->type == LAYER_WHITEOUT)
		rc = remove_lower(d, dir, base, strlen(base), err);
	else if (!rc && !removes)
		rc = set_node(d, dir, e, base, err);
	if (rc) {
		auto_free char *shown = layer_show(e->path);
		return err_prefix(err, "%s", shown);
	}
	return 0;
}

/* --- finishing ------------------------------------------------------------------------------ */

bool layer_delta_opaque(const struct layer_node *n)
{
	return n->type == LAYER_DIR && n->flags & NODE_HIDES && n->lower &&
	       n->lower->type == LAYER_DIR;
}

static int node_cmp(const void *a, const void *b)
{
	const struct layer_node *const *x = a, *const *y = b;
	return layer_name_cmp((*x)->name, (*x)->name_len, (*y)->name, (*y)->name_len);
}

/* Is the node needed? Its children that are not are dropped, the others sorted. */
static bool delta_settle(struct layer_node *n)
{
	uint32_t kept = 0;
	bool sorted = true;
	for (uint32_t i = 0; i < n->nchild; i++) {
		struct layer_node *c = n->child[i];
		if (c->flags & NODE_GONE || !delta_settle(c))
			continue;
		n->child[kept] = c;
		sorted =
			sorted && (kept == 0 || node_cmp(&n->child[kept - 1], &n->child[kept]) < 0);
		kept++;
	}
	n->nchild = kept;
	if (!sorted)
		qsort(n->child, kept, sizeof *n->child, node_cmp);
	return kept || n->flags & NODE_EXPLICIT || n->type == LAYER_WHITEOUT ||
	       layer_delta_opaque(n);
}

/* No more entries: drops what is not needed, sorts children, frees the table. */
static void layer_delta_finish(struct layer_delta *d)
{
	delta_settle(&d->root);
	bulk_free(d->slots, d->nslots * sizeof *d->slots);
	d->slots = NULL;
	d->nslots = d->used = 0;
	forget_dir(d);
}

/* The directory is there, below or in this layer. What it is stays as it is but for the time. */
static int move_time(struct layer_delta *d, const struct layer_times_reader *r, struct err **err)
{
	struct layer_node *n;

	if (delta_resolve(d, r->path, r->path_len, false, &n, err))
		return -1;
	if (!n || !n->parent)
		return err_set(err, ERR_CORRUPT, "the times of a layer name what is not there");
	struct layer_inode *i = layer_arena_dup(&d->arena, n->inode, sizeof *i);
	struct layer_extra *x = layer_arena_alloc(&d->arena, sizeof *x);
	if (i->extra)
		*x = *i->extra;
	x->moved = true;
	x->moved_to = (struct timespec){.tv_sec = r->sec, .tv_nsec = r->nsec};
	i->extra = x;
	n->inode = i;
	n->flags |= NODE_EXPLICIT;
	return 0;
}

static int move_times(struct layer_delta *d, const struct layer_times *times, struct err **err)
{
	struct layer_times_reader r;
	int rc = layer_times_open(&r, times, err);

	while (!rc && (rc = layer_times_next(&r, err)) > 0)
		rc = r.entry ? 0 : move_time(d, &r, err);
	return rc;
}

int layer_delta_walk(struct layer_delta *d, struct layer_walk *w, const struct layer_tree *below,
	const struct layer_times *times, uint32_t *last_ino, struct err **err)
{
	const struct layer_entry *e;
	int rc;

	layer_delta_init(d, below, last_ino);
	if (layer_walk_times(w, times, err))
		return -1;
	while ((rc = layer_walk_next(w, &e, err)) > 0)
		if (layer_delta_add(d, e, err))
			return -1;
	if (rc < 0 || move_times(d, times, err))
		return -1;
	layer_delta_finish(d);
	return 0;
}

int layer_delta_read(struct layer_delta *d, int tar_fd, const struct layer_tree *below,
	const struct layer_times *times, uint32_t *last_ino, struct err **err)
{
	struct stat st;

	if (fstat(tar_fd, &st)) {
		layer_delta_init(d, below, last_ino);
		return err_sys(err, "layer");
	}
	auto_layer_walk struct layer_walk *w = layer_walk_new(tar_fd, (uint64_t)st.st_size);
	return layer_delta_walk(d, w, below, times, last_ino, err);
}
