// SPDX-License-Identifier: Apache-2.0
/*
 * The destination of a copy as a tree over the layers below: a node is made when a path leads to
 * it, and says whether it is new, below, or part of a source directory grafted whole. Nothing is
 * written. A chain of links is walked without joining their texts, so its cost is bounded by their
 * number.
 */
#include "builder/copy/target.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "builder/copy/pool.h"
#include "store/base/path.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tree/tree.h"

static struct copy_node *node_new(struct copy_target *t, struct copy_node *parent, const char *name)
{
	struct copy_node *n = copy_pool_alloc(&t->pool, sizeof *n);

	n->parent = parent;
	n->name = name;
	n->all = t->all;
	t->all = n;
	return n;
}

void copy_target_init(
	struct copy_target *t, const struct layer_tree *below, const struct copy_dest *d)
{
	*t = (struct copy_target){.d = d};
	t->root = node_new(t, NULL, "");
	t->root->below = below ? layer_tree_root(below) : NULL;
}

static void copy_target_keep(void *key)
{
	(void)key;
}

void copy_target_clear(struct copy_target *t)
{
	for (struct copy_node *n = t->all; n; n = n->all)
		if (n->kids)
			tdestroy(n->kids, copy_target_keep);
	copy_pool_clear(&t->pool);
}

int copy_target_type(const struct copy_node *n)
{
	if (n->file)
		return (int)n->file->type;
	if (n->own)
		return (int)n->own->type;
	if (n->below)
		return (int)layer_node_type(n->below);
	return n->parent ? COPY_TARGET_ABSENT : (int)LAYER_DIR;
}

static int copy_target_name_cmp(const void *a, const void *b)
{
	return strcmp(((const struct copy_node *)a)->name, ((const struct copy_node *)b)->name);
}

struct copy_node *copy_target_peek(const struct copy_node *dir, const char *name)
{
	struct copy_node key = {.name = name}, *const *found = tfind(
						       &key, &dir->kids, copy_target_name_cmp);

	return found ? *found : NULL;
}

/* The child of a grafted directory. */
static const struct copy_file *grafted(const struct copy_file *dir, const char *name)
{
	size_t lo = 0, hi = dir ? dir->nchild : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(dir->child[mid].name, name);
		if (c == 0)
			return &dir->child[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct copy_node *copy_target_child(
	struct copy_target *t, struct copy_node *dir, const char *name, size_t len)
{
	auto_free char *text = mem_strndup(name, len);
	struct copy_node *n = copy_target_peek(dir, text);
	const struct copy_file *f;

	if (n)
		return n;
	n = node_new(t, dir, copy_pool_strdup(&t->pool, text));
	if (dir->below && layer_node_type(dir->below) == LAYER_DIR)
		n->below = layer_node_find(dir->below, text, len);
	if ((f = grafted(dir->graft, text))) {
		copy_target_put_file(n, f, dir->graft_source);
		if (f->type == LAYER_DIR)
			copy_target_graft(n, f, dir->graft_source);
	}
	if (!tsearch(n, &dir->kids, copy_target_name_cmp))
		mem_exhausted();
	return n;
}

char *copy_target_show(const struct copy_node *n)
{
	auto_free char *path = mem_strdup("");

	if (!n->parent)
		return mem_strdup("/");
	for (; n->parent; n = n->parent) {
		char *longer = mem_printf("/%s%s", n->name, path);
		free(path);
		path = longer;
	}
	return fs_printable(path);
}

/* The text of a symlink node; the tree's own for what is below. */
static const char *link_of(const struct copy_node *n)
{
	struct layer_entry e;

	if (n->file)
		return n->file->x->link;
	if (n->own)
		return n->own->link;
	layer_node_attrs(n->below, &e);
	return e.link;
}

static struct copy_node *not_dir(const struct copy_node *n, struct err **err)
{
	auto_free char *shown = copy_target_show(n);

	err_set(err, ERR_BUILD, "%s is not a directory", shown);
	return NULL;
}

/* What is left of a path: a piece for each link on the way, the innermost last. Pieces are the
 * texts of links as they stand; nothing is joined, so that a chain of long links costs what it
 * holds. */
struct rest {
	const char *piece[LAYER_SYMLINKS_MAX + 1];
	int n;
};

static size_t next_component(struct rest *r, const char **comp)
{
	for (; r->n; r->n--) {
		size_t len = path_next(&r->piece[r->n - 1], comp);
		if (len)
			return len;
	}
	return 0;
}

static bool at_the_end(const struct rest *r)
{
	for (int i = 0; i < r->n; i++)
		if (r->piece[i][strspn(r->piece[i], "/")])
			return false;
	return true;
}

/* The text of the link is what comes next. */
static const char *copy_target_follow_link(
	struct rest *r, const struct copy_node *link, int *links, struct err **err)
{
	if (++*links <= LAYER_SYMLINKS_MAX)
		return r->piece[r->n++] = link_of(link);
	auto_free char *shown = copy_target_show(link);
	err_set(err, ERR_BUILD, "%s: too many symbolic links", shown);
	return NULL;
}

struct copy_node *copy_target_walk(struct copy_target *t, struct copy_node *root, const char *path,
	bool follow, struct err **err)
{
	struct rest rest = {.piece = {path}, .n = 1};
	struct copy_node *at = root;
	const char *comp, *link;
	size_t n;
	int links = 0;

	while ((n = next_component(&rest, &comp)) > 0) {
		if (n == 1 && comp[0] == '.')
			continue;
		if (n == 2 && comp[0] == '.' && comp[1] == '.') {
			at = at == root ? at : at->parent;
			continue;
		}
		if (copy_target_type(at) != LAYER_DIR && copy_target_type(at) != COPY_TARGET_ABSENT)
			return not_dir(at, err);
		struct copy_node *c = copy_target_child(t, at, comp, n);
		if (copy_target_type(c) != LAYER_SYMLINK || (!follow && at_the_end(&rest))) {
			at = c;
			continue;
		}
		if (!(link = copy_target_follow_link(&rest, c, &links, err)))
			return NULL;
		if (link[0] == '/')
			at = root;
	}
	return at;
}

static void set_busy(struct copy_node *n)
{
	for (; n && !n->busy; n = n->parent)
		n->busy = true;
}

static void copy_target_forget(const void *node, VISIT which, int depth);

static void copy_target_drop(struct copy_node *n)
{
	n->below = NULL;
	n->file = NULL;
	n->graft = NULL;
	n->own = NULL;
	n->links = NULL;
	n->touched = false;
	n->busy = false;
	if (n->kids)
		twalk(n->kids, copy_target_forget);
}

static void copy_target_forget(const void *node, VISIT which, int depth)
{
	(void)depth;
	if (which == postorder || which == leaf)
		copy_target_drop(*(struct copy_node *const *)node);
}

static void copy_target_make_way(struct copy_node *n, enum layer_type type)
{
	if (type != LAYER_DIR) {
		if (copy_target_type(n) == LAYER_DIR) {
			n->gone |= n->below && layer_node_type(n->below) == LAYER_DIR;
			copy_target_drop(n);
			set_busy(n->parent);
		}
		n->below = NULL;
	}
	n->file = NULL;
	n->own = NULL;
	n->links = NULL;
	n->touched = false;
	set_busy(n);
}

void copy_target_put_file(struct copy_node *n, const struct copy_file *f, uint32_t source)
{
	copy_target_make_way(n, (enum layer_type)f->type);
	n->file = f;
	n->source = source;
}

void copy_target_put_entry(struct copy_node *n, const struct layer_entry *pool_own,
	struct copy_links *links, const struct copy_attrs *a)
{
	copy_target_make_way(n, pool_own->type);
	n->own = pool_own;
	n->links = links;
	n->attrs = *a;
	if (pool_own->type == LAYER_SYMLINK)
		n->attrs.mode = 0777;
}

void copy_target_graft(struct copy_node *n, const struct copy_file *f, uint32_t source)
{
	n->graft = f;
	n->graft_source = source;
	if (f->nchild)
		set_busy(n);
}

int copy_target_mkdirs(
	struct copy_target *t, struct copy_node *n, const struct copy_attrs *a, struct err **err)
{
	int type = copy_target_type(n);

	if (type == LAYER_DIR)
		return 0;
	if (type != COPY_TARGET_ABSENT) {
		not_dir(n, err);
		return -1;
	}
	size_t missing = 1;
	for (struct copy_node *up = n->parent; copy_target_type(up) == COPY_TARGET_ABSENT;
		up = up->parent)
		missing++;
	auto_free struct copy_node **path = mem_array(missing, sizeof *path);
	for (size_t i = missing; i--; n = n->parent)
		path[i] = n;
	if (copy_target_type(n) != LAYER_DIR) {
		not_dir(n, err);
		return -1;
	}
	struct layer_entry *dir = copy_pool_alloc(&t->pool, sizeof *dir);
	dir->type = LAYER_DIR;
	for (size_t i = 0; i < missing; i++)
		copy_target_put_entry(path[i], dir, NULL, a);
	return 0;
}

/* What the layers below show, as an entry that outlives questions to the tree. */
static struct layer_entry *below_entry(struct copy_target *t, const struct copy_node *n)
{
	struct layer_entry *e = copy_pool_alloc(&t->pool, sizeof *e);

	layer_node_attrs(n->below, e);
	e->path = NULL;
	return e;
}

void copy_target_touch(struct copy_target *t, struct copy_node *n, int64_t mtime, uint32_t mtime_ns)
{
	if (!n->parent)
		return;
	if (!n->file && !n->own) {
		n->own = below_entry(t, n);
		n->attrs = (struct copy_attrs){
			.mode = n->own->mode, .uid = n->own->uid, .gid = n->own->gid};
		set_busy(n);
	}
	n->mtime = mtime;
	n->mtime_ns = mtime_ns;
	n->touched = true;
}
