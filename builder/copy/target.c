// SPDX-License-Identifier: Apache-2.0
#include "builder/copy/target.h"

#include <limits.h>
#include <search.h>
#include <string.h>

#include "builder/copy/path.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define REST_MAX ((size_t)LAYER_SYMLINKS_MAX * (LAYER_PATH_MAX + 1) + LAYER_PATH_MAX * 4)

static struct copy_node *node_new(struct copy_target *t, struct copy_node *parent, const char *name)
{
	struct copy_node *n = copy_pool_alloc(&t->pool, sizeof *n);

	n->parent = parent;
	n->name = name;
	n->all = t->all;
	t->all = n;
	return n;
}

void copy_target_init(struct copy_target *t, const struct layer_tree *below)
{
	*t = (struct copy_target){.root = NULL};
	t->root = node_new(t, NULL, "");
	t->root->below = below ? layer_tree_root(below) : NULL;
}

static void keep(void *key)
{
	(void)key;
}

void copy_target_clear(struct copy_target *t)
{
	for (struct copy_node *n = t->all; n; n = n->all)
		if (n->kids)
			tdestroy(n->kids, keep);
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

static int name_cmp(const void *a, const void *b)
{
	return strcmp(((const struct copy_node *)a)->name, ((const struct copy_node *)b)->name);
}

struct copy_node *copy_target_child(
	struct copy_target *t, struct copy_node *dir, const char *name, size_t len)
{
	auto_free char *text = mem_strndup(name, len);
	struct copy_node key = {.name = text};
	struct copy_node **found = tfind(&key, &dir->kids, name_cmp);

	if (found)
		return *found;
	struct copy_node *n = node_new(t, dir, copy_pool_strdup(&t->pool, text));
	if (dir->below && layer_node_type(dir->below) == LAYER_DIR)
		n->below = layer_node_find(dir->below, text, len);
	if (!tsearch(n, &dir->kids, name_cmp))
		abort();
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

// The text of a symlink node; the tree's own for what is below.
static const char *link_of(const struct copy_node *n)
{
	struct layer_entry e;

	if (n->file)
		return n->file->link;
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

struct copy_node *copy_target_walk(struct copy_target *t, struct copy_node *from, const char *path,
	bool follow, struct err **err)
{
	auto_free char *rest = mem_strdup(path);
	struct copy_node *at = from;
	const char *p = rest, *comp;
	size_t n;
	int links = 0;

	while ((n = copy_path_next(&p, &comp)) > 0) {
		bool last = !p[strspn(p, "/")];
		if (n == 1 && comp[0] == '.')
			continue;
		if (n == 2 && comp[0] == '.' && comp[1] == '.') {
			at = at->parent ? at->parent : at;
			continue;
		}
		if (copy_target_type(at) != LAYER_DIR && copy_target_type(at) != COPY_TARGET_ABSENT)
			return not_dir(at, err);
		struct copy_node *c = copy_target_child(t, at, comp, n);
		if (copy_target_type(c) != LAYER_SYMLINK || (last && !follow)) {
			at = c;
			continue;
		}
		char *longer = mem_printf("%s/%s", link_of(c), p);
		if (++links > LAYER_SYMLINKS_MAX || strlen(longer) > REST_MAX) {
			auto_free char *shown = copy_target_show(c);
			free(longer);
			err_set(err, ERR_BUILD, "%s: too many symbolic links", shown);
			return NULL;
		}
		if (longer[0] == '/')
			at = t->root;
		free(rest);
		p = rest = longer;
	}
	return at;
}

static void set_busy(struct copy_node *n)
{
	for (; n && !n->busy; n = n->parent)
		n->busy = true;
}

static void forget(const void *node, VISIT which, int depth);

static void drop(struct copy_node *n)
{
	n->below = NULL;
	n->file = NULL;
	n->own = NULL;
	n->links = NULL;
	n->busy = false;
	if (n->kids)
		twalk(n->kids, forget);
}

static void forget(const void *node, VISIT which, int depth)
{
	(void)depth;
	if (which == postorder || which == leaf)
		drop(*(struct copy_node *const *)node);
}

static void put(struct copy_node *n, const struct copy_file *f, const struct layer_entry *own,
	struct copy_links *links, const struct copy_attrs *a)
{
	enum layer_type type = f ? f->type : own->type;

	if (type != LAYER_DIR) {
		if (copy_target_type(n) == LAYER_DIR) {
			n->gone |= n->below && layer_node_type(n->below) == LAYER_DIR;
			drop(n);
			set_busy(n->parent);
		}
		n->below = NULL;
	}
	n->file = f;
	n->own = own;
	n->links = links;
	n->mode = type == LAYER_SYMLINK ? 0777 : a->mode;
	n->uid = a->uid;
	n->gid = a->gid;
	n->mtime = a->mtime;
	set_busy(n);
}

void copy_target_put_file(struct copy_node *n, const struct copy_file *f, struct copy_links *links,
	const struct copy_attrs *a)
{
	put(n, f, NULL, links, a);
}

void copy_target_put_entry(struct copy_node *n, const struct layer_entry *pool_own,
	struct copy_links *links, const struct copy_attrs *a)
{
	put(n, NULL, pool_own, links, a);
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

// What the layers below show, as an entry that outlives questions to the tree.
static struct layer_entry *below_entry(struct copy_target *t, const struct copy_node *n)
{
	struct layer_entry *e = copy_pool_alloc(&t->pool, sizeof *e);

	layer_node_attrs(n->below, e);
	e->path = NULL;
	return e;
}

void copy_target_touch(struct copy_target *t, struct copy_node *n, int64_t mtime)
{
	if (!n->parent)
		return;
	if (!n->file && !n->own) {
		n->own = below_entry(t, n);
		n->mode = n->own->mode;
		n->uid = n->own->uid;
		n->gid = n->own->gid;
		set_busy(n);
	}
	n->mtime = mtime;
}

struct emit {
	struct copy_target *t;
	const struct copy_selection *s;
	struct layer_list *out;
	struct buf path;
	unsigned long turn;
	size_t depth;
	int rc;
	struct err **err;
};

static int check_name(struct emit *e, const struct copy_node *n)
{
	if (strncmp(n->name, ".wh.", 4) == 0) {
		auto_free char *shown = copy_target_show(n);
		return err_set(e->err, ERR_BUILD,
			"%s: a name that begins with .wh. cannot be stored in a layer", shown);
	}
	if (strlen(n->name) > NAME_MAX) {
		auto_free char *name = fs_printable(n->name);
		return err_set(
			e->err, ERR_LIMIT, "%s: the name is longer than %d bytes", name, NAME_MAX);
	}
	if (e->path.full || e->depth > LAYER_DEPTH_MAX) {
		auto_free char *name = fs_printable(n->name);
		return err_set(e->err, ERR_LIMIT,
			"%s: its path is longer than %d bytes or %d components", name,
			LAYER_PATH_MAX, LAYER_DEPTH_MAX);
	}
	return 0;
}

static void add_link(struct emit *e, const struct copy_node *n, struct layer_entry *entry)
{
	if (n->links->turn != e->turn) {
		n->links->turn = e->turn;
		n->links->first = copy_pool_strdup(&e->t->pool, e->path.data);
		return;
	}
	entry->type = LAYER_HARDLINK;
	entry->link = n->links->first;
	entry->source = LAYER_NO_DATA;
	entry->size = 0;
	entry->xattrs = NULL;
	entry->nxattrs = 0;
	entry->expect = NULL;
	entry->extents = NULL;
	entry->nextents = 0;
}

static int add_node(struct emit *e, const struct copy_node *n)
{
	struct layer_entry entry;
	auto_free char *src = NULL;

	if (check_name(e, n) < 0)
		return -1;
	if (n->file) {
		copy_file_entry(e->s, n->file, e->path.data, &entry, &src);
	} else if (n->own) {
		entry = *n->own;
	} else { // leads to what was put; as it is, so that the layer shows it unchanged on its own
		layer_node_attrs(n->below, &entry);
		entry.path = e->path.data;
		layer_list_add(e->out, &entry);
		return 0;
	}
	entry.path = e->path.data;
	entry.mode = n->mode;
	entry.uid = n->uid;
	entry.gid = n->gid;
	entry.mtime = n->mtime;
	if (n->links && entry.type == LAYER_FILE)
		add_link(e, n, &entry);
	layer_list_add(e->out, &entry);
	if (n->gone && entry.type == LAYER_DIR) {
		struct layer_entry opaque = {.path = e->path.data, .type = LAYER_OPAQUE, .fd = -1};
		layer_list_add(e->out, &opaque);
	}
	return 0;
}

static void emit_kid(const void *node, VISIT which, void *ctx)
{
	struct emit *e = ctx;
	const struct copy_node *n = *(struct copy_node *const *)node;
	size_t len = e->path.len;

	if ((which != postorder && which != leaf) || e->rc < 0 || !n->busy)
		return;
	if (len)
		buf_addc(&e->path, '/');
	buf_adds(&e->path, n->name);
	e->depth++;
	e->rc = add_node(e, n);
	if (e->rc == 0 && n->kids)
		twalk_r(n->kids, emit_kid, e);
	e->depth--;
	e->path.len = len;
	e->path.data[len] = '\0';
}

int copy_target_emit(struct copy_target *t, const struct copy_selection *s, unsigned long turn,
	struct layer_list *out, struct err **err)
{
	struct emit e = {.t = t, .s = s, .out = out, .turn = turn, .err = err};

	buf_init(&e.path, LAYER_PATH_MAX);
	if (t->root->kids)
		twalk_r(t->root->kids, emit_kid, &e);
	buf_clear(&e.path);
	return e.rc;
}
