// SPDX-License-Identifier: Apache-2.0
/*
 * The merged tree. Each layer becomes a delta first; merging two sorted directories is linear in
 * their children, and the nodes, names and inodes of the delta move over without a copy. A layer
 * that is refused leaves the tree as it was.
 */
#include "store/tree/node.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/arena.h"
#include "store/tar/name.h"
#include "store/tar/walk.h"

struct layer_tree *layer_tree_new(void)
{
	struct layer_tree *t = mem_alloc(sizeof *t);
	t->root_inode = (struct layer_inode){.mode = 0755, .type = LAYER_DIR, .fd = -1};
	t->root.type = LAYER_DIR;
	t->root.name = "";
	t->root.inode = &t->root_inode;
	t->scratch = mem_array(LAYER_PATH_MAX + 1, 1);
	return t;
}

void layer_tree_free(struct layer_tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nfds; i++)
		close(t->fds[i]);
	layer_arena_clear(&t->arena);
	free(t->fds);
	free(t->scratch);
	free(t);
}

/* --- merging -------------------------------------------------------------------------------- */

static void merge(struct layer_tree *t, struct layer_node *into, struct layer_node *delta);

/* The delta node takes its place below `into`, with all that is in it. */
static struct layer_node *tree_adopt(struct layer_node *into, struct layer_node *delta)
{
	delta->parent = into;
	delta->lower = NULL;
	return delta;
}

/* One name in both: what becomes of it, NULL when it is removed. */
static struct layer_node *merge_pair(struct layer_tree *t, struct layer_node *into,
	struct layer_node *old, struct layer_node *delta)
{
	if (delta->type == LAYER_WHITEOUT)
		return NULL;
	if (delta->type != LAYER_DIR || old->type != LAYER_DIR)
		return tree_adopt(into, delta);
	merge(t, old, delta);
	return old;
}

static void merge_children(
	struct layer_tree *t, struct layer_node *into, const struct layer_node *delta)
{
	uint32_t room = into->nchild + delta->nchild;
	struct layer_node **v = layer_arena_alloc(&t->arena, room * sizeof(struct layer_node *));
	uint32_t i = 0, j = 0, n = 0;

	while (i < into->nchild || j < delta->nchild) {
		struct layer_node *a = i < into->nchild ? into->child[i] : NULL;
		struct layer_node *b = j < delta->nchild ? delta->child[j] : NULL;
		int c = !a   ? 1
			: !b ? -1
			     : layer_name_cmp(a->name, a->name_len, b->name, b->name_len);
		struct layer_node *kept = a;
		if (c == 0)
			kept = merge_pair(t, into, a, b);
		else if (c > 0)
			kept = b->type == LAYER_WHITEOUT ? NULL : tree_adopt(into, b);
		i += c <= 0;
		j += c >= 0;
		if (kept)
			v[n++] = kept;
	}
	into->child = v;
	into->nchild = n;
	into->cap = room;
}

/* Only directories that are in both: nothing is added or removed at this level. */
static bool only_descends(const struct layer_node *into, const struct layer_node *delta)
{
	for (uint32_t i = 0; i < delta->nchild; i++) {
		const struct layer_node *c = delta->child[i];
		const struct layer_node *old = layer_node_search(into, c->name, c->name_len);
		if (c->type != LAYER_DIR || !old || old->type != LAYER_DIR)
			return false;
	}
	return true;
}

static void merge(struct layer_tree *t, struct layer_node *into, struct layer_node *delta)
{
	if (delta->flags & NODE_EXPLICIT) {
		if (into->parent)
			into->inode = delta->inode;
		else
			t->root_inode = *delta->inode;
	}
	if (delta->flags & NODE_HIDES)
		into->nchild = 0;
	if (!delta->nchild)
		return;
	if (!only_descends(into, delta)) {
		merge_children(t, into, delta);
		return;
	}
	for (uint32_t i = 0; i < delta->nchild; i++) {
		struct layer_node *c = delta->child[i];
		merge(t, layer_node_search(into, c->name, c->name_len), c);
	}
}

int layer_tree_apply(struct layer_tree *t, int take_fd, struct err **err)
{
	return layer_tree_apply_timed(t, take_fd, NULL, err);
}

int layer_tree_apply_timed(
	struct layer_tree *t, int take_fd, const struct layer_times *times, struct err **err)
{
	struct stat st;

	if (fstat(take_fd, &st)) {
		err_sys(err, "layer");
		close(take_fd);
		return -1;
	}
	auto_layer_walk struct layer_walk *w = layer_walk_new(take_fd, (uint64_t)st.st_size);
	return layer_tree_put(t, w, take_fd, times, err);
}

int layer_tree_put(struct layer_tree *t, struct layer_walk *w, int take_fd,
	const struct layer_times *times, struct err **err)
{
	auto_delta struct layer_delta d;
	uint32_t last_ino = t->last_ino;

	MEM_PUSH(t->fds, t->nfds, t->fds_cap) = take_fd;
	if (layer_delta_walk(&d, w, t, times, &last_ino, err))
		return -1;
	t->last_ino = last_ino;
	merge(t, &t->root, &d.root);
	layer_arena_absorb(&t->arena, &d.arena);
	return 0;
}

/* --- nodes ---------------------------------------------------------------------------------- */

struct layer_node *layer_tree_root(const struct layer_tree *t)
{
	/* Nodes are opaque to callers and changed by nothing but layer_tree_apply. */
	return (struct layer_node *)(uintptr_t)&t->root;
}

const char *layer_node_name(const struct layer_node *n)
{
	return n->name;
}

enum layer_type layer_node_type(const struct layer_node *n)
{
	return (enum layer_type)n->type;
}

uint64_t layer_node_ino(const struct layer_node *n)
{
	return n->type == LAYER_FILE ? n->inode->ino : 0;
}

size_t layer_node_nchildren(const struct layer_node *n)
{
	return n->nchild;
}

struct layer_node *layer_node_child(const struct layer_node *n, size_t i)
{
	return n->child[i];
}

struct layer_node *layer_node_search(const struct layer_node *n, const char *name, size_t len)
{
	size_t lo = 0, hi = n->nchild;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct layer_node *c = n->child[mid];
		int order = layer_name_cmp(c->name, c->name_len, name, len);
		if (order == 0)
			return c;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct layer_node *layer_node_find(const struct layer_node *n, const char *name, size_t len)
{
	return layer_node_search(n, name, len);
}

void layer_node_path(const struct layer_node *n, char *out)
{
	out[n->path_len] = 0;
	for (; n->parent; n = n->parent) {
		memcpy(out + n->path_len - n->name_len, n->name, n->name_len);
		if (n->path_len > n->name_len)
			out[n->path_len - n->name_len - 1] = '/';
	}
}

void layer_node_fill(const struct layer_node *n, const char *path, struct layer_entry *out)
{
	const struct layer_inode *i = n->inode;
	*out = (struct layer_entry){.path = path,
		.type = (enum layer_type)n->type,
		.mode = i->mode,
		.uid = i->uid,
		.gid = i->gid,
		.mtime = i->mtime,
		.mtime_ns = i->mtime_ns,
		.link = i->link,
		.fd = -1};
	if (i->extra) {
		out->xattrs = i->extra->xattrs;
		out->nxattrs = i->extra->nxattrs;
		out->moved = i->extra->moved ? &i->extra->moved_to : NULL;
	}
	if (n->type == LAYER_CHAR || n->type == LAYER_BLOCK) {
		out->dev_major = (uint32_t)(i->size >> 32);
		out->dev_minor = (uint32_t)i->size;
	} else if (n->type == LAYER_FILE && i->size) {
		out->size = i->size;
		out->source = LAYER_DATA_FD;
		out->fd = i->fd;
		out->data_off = i->data_off;
	}
	/* A file that is one hole has no extents, and is told from others by a pointer all the
	 * same. */
	static const struct layer_extent none;
	if (i->sparse) {
		out->extents = i->extra && i->extra->nextents ? i->extra->extents : &none;
		out->nextents = i->extra ? i->extra->nextents : 0;
	}
}

void layer_node_entry(const struct layer_node *n, struct layer_entry *out)
{
	const struct layer_node *root = n;
	while (root->parent)
		root = root->parent;
	const struct layer_tree *t = (const struct layer_tree *)root;
	layer_node_path(n, t->scratch);
	layer_node_fill(n, t->scratch, out);
}

void layer_node_attrs(const struct layer_node *n, struct layer_entry *out)
{
	layer_node_fill(n, n->name, out);
}

/* ext4 cuts times to 34 bits, and a tar may say anything. */
static int64_t storable(int64_t seconds)
{
	const int64_t least = INT32_MIN, most = ((int64_t)3 << 32) + INT32_MAX;
	return seconds < least ? least : seconds > most ? most : seconds;
}

bool layer_node_matches(const struct layer_node *n, const struct layer_entry *e)
{
	struct layer_entry o;
	if (n->type != e->type)
		return false;
	layer_node_fill(n, "", &o);
	struct timespec shown = layer_inode_time(n->inode);
	if (o.mode != e->mode || o.uid != e->uid || o.gid != e->gid ||
		storable(shown.tv_sec) != storable(e->mtime) ||
		(uint32_t)shown.tv_nsec != e->mtime_ns || o.size != e->size ||
		o.dev_major != e->dev_major || o.dev_minor != e->dev_minor)
		return false;
	if (n->type == LAYER_SYMLINK && strcmp(o.link, e->link) != 0)
		return false;
	return layer_xattrs_equal(o.xattrs, o.nxattrs, e->xattrs, e->nxattrs);
}

char *layer_node_read(const struct layer_node *n, size_t max, size_t *len, struct err **err)
{
	struct layer_entry e;
	auto_free char *shown = fs_printable(n->name);

	layer_node_fill(n, n->name, &e);
	if (e.type != LAYER_FILE) {
		err_set(err, ERR_CORRUPT, "%s: not a regular file", shown);
		return NULL;
	}
	if (e.size > max) {
		err_set(err, ERR_LIMIT, "%s: %llu bytes; the limit is %zu", shown,
			(unsigned long long)e.size, max);
		return NULL;
	}
	auto_free char *text = mem_array((size_t)e.size + 1, 1);
	struct layer_extent whole = {.len = e.size, .data = e.data_off};
	const struct layer_extent *x = e.extents ? e.extents : &whole;
	size_t nx = e.extents ? e.nextents : e.size > 0;
	for (size_t i = 0; i < nx; i++) {
		if (fs_pread_all(e.fd, text + x[i].off, (size_t)x[i].len, x[i].data)) {
			err_sys(err, "reading %s", shown);
			return NULL;
		}
	}
	*len = (size_t)e.size;
	return TAKE(text);
}
