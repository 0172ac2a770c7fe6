// SPDX-License-Identifier: Apache-2.0
/*
 * COPY --parents: a source is a directory to start from (in front of the pivot "/./", else the
 * root) and a pattern of the ignore dialect below it. What matches is taken whole, with the
 * directories that lead to it. The directory to start from may be reached by symlinks; below it
 * they are taken as links and never followed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/copy/pool.h"
#include "builder/copy/share.h"
#include "store/base/path.h"
#include "builder/copy/selection.h"
#include "parser/ignore.h"
#include "parser/pattern.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/strlist.h"

struct parents {
	struct copy_selection *s;
	const struct copy_root *root;
	struct pattern *pattern; /* NULL: everything */
	struct err **err;
};

/* An entry of a directory that is taken, and how. */
struct pick {
	const struct copy_name *name;
	struct copy_file *dir; /* what was taken below it; NULL: it is taken whole */
	bool excluded;         /* by the ignore rules, but for what is in it */
};

struct picks {
	struct pick *v; /* owned */
	size_t n;
	size_t cap;
};

static int parents_fail(struct parents *w, const char *canon)
{
	struct copy_extra x = {.path = canon};
	struct copy_file at = {.x = &x};

	if (errno == ESTALE)
		errno = 0;
	return copy_file_fail(&at, w->err);
}

/* 1 = may be taken; *excluded: only for what is kept in it. */
static bool parents_kept(const struct parents *w, const char *canon, bool dir, bool *excluded)
{
	struct slice path = slice_of(canon);

	*excluded = w->root->ignore && ignore_match(w->root->ignore, path, NULL);
	return !*excluded || (dir && ignore_may_contain(w->root->ignore, path));
}

static int descend(
	struct parents *w, const char *canon, const char *rel, int depth, struct copy_file **out);

static int parents_pick(struct parents *w, const char *canon, const char *rel,
	const struct copy_name *n, int depth, struct picks *out)
{
	auto_free char *path = path_join(canon, n->name);
	auto_free char *below = path_join(rel, n->name);
	bool below_too = n->type == LAYER_DIR, excluded;
	struct copy_file *dir = NULL;

	if (!parents_kept(w, path, below_too, &excluded))
		return 0;
	if (strlen(path) > LAYER_PATH_MAX) {
		errno = ENAMETOOLONG;
		return parents_fail(w, path);
	}
	if (!pattern_test(w->pattern, slice_of(below))) {
		if (!below_too || !pattern_test_below(w->pattern, slice_of(below)))
			return 0;
		if (descend(w, path, below, depth + 1, &dir) < 0)
			return -1;
		if (!dir)
			return 0;
	}
	MEM_PUSH(out->v, out->n, out->cap) = (struct pick){n, dir, excluded};
	return 0;
}

static void take_sub(struct copy_file *c, const struct copy_file *sub)
{
	struct copy_file *parent = c->parent;
	const char *name = c->name;

	*c = *sub;
	c->name = name;
	c->parent = parent;
	for (uint32_t i = 0; i < c->nchild; i++)
		c->child[i].parent = c;
}

static int fill_file(
	struct parents *w, const struct copy_dir *d, const struct copy_name *n, struct copy_file *c)
{
	struct copy_selection *s = w->s;
	struct copy_share *share = s->share;

	if (s->vfs.ops->stat(&s->vfs, d, n->name, &share->pool, c) < 0)
		return -1;
	if (c->type != n->type) {
		errno = ESTALE;
		return -1;
	}
	c->x->indexed = d->fd >= 0 && share->store && c->content == COPY_CONTENT_DIR &&
			copy_share_usable(share, c->x->dev, d->fd);
	if (c->x->indexed)
		copy_share_name(share, c);
	return 0;
}

/* 1 = c is there, 0 = nothing of it was kept. */
static int parents_fill(struct parents *w, const struct copy_dir *d, const struct pick *p,
	struct copy_file *dir, struct copy_file *c)
{
	struct copy_pool *pool = &w->s->share->pool;

	*c = (struct copy_file){.name = p->name->name,
		.node = p->name->node,
		.type = (uint8_t)p->name->type,
		.excluded = p->excluded,
		.parent = dir};
	copy_file_extra(c, pool)->path = copy_pool_join(pool, dir->x->path, c->name);
	if (p->dir) {
		take_sub(c, p->dir);
		return 1;
	}
	if (copy_selection_add(w->s, 1, w->err) < 0)
		return -1;
	if (c->type == LAYER_DIR) {
		if (copy_walk(w->s, w->root, c, w->err) < 0)
			return -1;
		return !c->excluded || c->nchild;
	}
	return fill_file(w, d, p->name, c) < 0 ? parents_fail(w, c->x->path) : 1;
}

/* The directory itself, with its metadata, and what was picked in it. */
static int parents_make_dir(struct parents *w, const struct copy_dir *d, const char *canon,
	const struct picks *picks, struct copy_file **out)
{
	struct copy_selection *s = w->s;
	struct copy_pool *pool = &s->share->pool;
	struct copy_file *dir = copy_pool_alloc(pool, sizeof *dir);

	dir->name = "";
	copy_file_extra(dir, pool)->path = copy_pool_strdup(pool, canon);
	if (s->vfs.ops->stat(&s->vfs, d, NULL, pool, dir) < 0)
		return parents_fail(w, canon);
	dir->child = copy_pool_array(pool, picks->n, sizeof *dir->child);
	for (size_t i = 0; i < picks->n; i++) {
		int rc = parents_fill(w, d, &picks->v[i], dir, &dir->child[dir->nchild]);
		if (rc < 0)
			return -1;
		dir->nchild += (uint32_t)rc;
	}
	*out = dir->nchild ? dir : NULL;
	return 0;
}

/* *out: NULL when nothing is taken. No descriptor is held while directories below are read. */
static int descend(
	struct parents *w, const char *canon, const char *rel, int depth, struct copy_file **out)
{
	const struct copy_vfs *v = &w->s->vfs;
	auto_names struct copy_names names = {0};
	struct picks picks = {0};
	struct copy_dir d;
	int rc = 0;

	*out = NULL;
	if (copy_selection_cancelled(w->s, w->err))
		return -1;
	if (v->ops->open(v, canon, &d) < 0)
		return parents_fail(w, canon);
	rc = v->ops->names(v, &d, &w->s->share->pool, &names);
	if (rc < 0)
		rc = parents_fail(w, canon);
	v->ops->close(&d);
	if (rc == 0 && depth > LAYER_DEPTH_MAX) {
		errno = ENAMETOOLONG;
		rc = parents_fail(w, canon);
	}
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		rc = parents_pick(w, canon, rel, &names.v[i], depth, &picks);
	if (rc == 0 && picks.n) {
		rc = v->ops->open(v, canon, &d) < 0 ? parents_fail(w, canon)
						    : parents_make_dir(w, &d, canon, &picks, out);
		v->ops->close(&d);
	}
	free(picks.v);
	return rc;
}

/* A path without wildcards at which there is nothing to take. */
static int parents_missing(struct parents *w, const char *path)
{
	auto_free char *canon = NULL;
	size_t line = 0;

	if (w->s->vfs.ops->resolve(&w->s->vfs, path, &canon) < 0)
		return copy_hint_missing(w->s, w->root, path, errno, 0, w->err);
	if (w->root->ignore && ignore_match(w->root->ignore, slice_of(path), &line))
		return copy_hint_missing(w->s, w->root, path, 0, line, w->err);
	auto_free char *shown = fs_printable(path);
	auto_free char *real = fs_printable(canon);
	err_set(w->err, ERR_CONTEXT,
		"%s: a symbolic link leads there, and --parents does not follow links", shown);
	return err_hint(w->err, "name the path itself: %s", real);
}

static bool parents_is_dir(const struct parents *w, const char *canon)
{
	struct copy_dir d;
	bool opened = w->s->vfs.ops->open(&w->s->vfs, canon, &d) == 0;
	bool wrong = !opened && errno == ENOTDIR;

	w->s->vfs.ops->close(&d);
	return !wrong;
}

/* What matches below one directory; NULL in *out when nothing does. */
static int from_start(struct parents *w, const char *start, struct copy_file **out)
{
	auto_free char *canon = NULL;

	if (w->s->vfs.ops->resolve(&w->s->vfs, start, &canon) < 0)
		return copy_hint_missing(w->s, w->root, start, errno, 0, w->err);
	if (!parents_is_dir(w, canon)) {
		auto_free char *shown = fs_printable(start);
		return err_set(
			w->err, ERR_CONTEXT, "%s: not a directory, nothing can be below it", shown);
	}
	if (w->pattern)
		return descend(w, canon, "", 0, out);
	struct copy_pool *pool = &w->s->share->pool;
	struct copy_file *all = copy_pool_alloc(pool, sizeof *all);
	all->name = "";
	all->type = LAYER_DIR;
	copy_file_extra(all, pool)->path = copy_pool_strdup(pool, canon);
	*out = all;
	return copy_walk(w->s, w->root, all, w->err);
}

/* Only what is in the directory to start from goes to the destination. */
static void parents_push(
	struct parents *w, struct copy_file *dir, const struct ignore *exclude, size_t item)
{
	struct copy_file *top = copy_pool_alloc(&w->s->pool, sizeof *top);
	struct copy_extra *x = copy_file_extra(top, &w->s->pool);

	if (w->s->dir_fd < 0)
		copy_walk_linked(dir);
	if (exclude)
		dir = copy_view(w->s, exclude, dir);
	x->path = dir->x->path;
	x->dev = dir->x->dev;
	top->name = "";
	top->type = LAYER_DIR;
	top->stated = true;
	top->child = dir->child;
	top->nchild = dir->nchild;
	copy_selection_push(w->s, top, item)->parents = true;
}

static int add_start(struct parents *w, const char *start, const char *rest,
	const struct ignore *exclude, size_t item)
{
	struct copy_file *dir = NULL;

	if (from_start(w, start, &dir) < 0)
		return -1;
	if (dir) {
		parents_push(w, dir, exclude, item);
		return 0;
	}
	if (pattern_has_wildcard(slice_of(rest)))
		return 0;
	auto_free char *path = path_join(start, rest);
	return parents_missing(w, path);
}

static int parents_add_all(struct parents *w, const char *start, const char *rest,
	const struct ignore *exclude, size_t item)
{
	struct strlist found = {0};

	if (!pattern_has_wildcard(slice_of(start)))
		return add_start(w, start, rest, exclude, item);
	int rc = copy_glob(w->s, w->root, start, true, &found, w->err);
	for (size_t i = 0; rc == 0 && i < found.n; i++) {
		auto_free char *canon = NULL;
		if (w->s->vfs.ops->resolve(&w->s->vfs, found.v[i], &canon) < 0 ||
			!parents_is_dir(w, canon))
			continue; /* a file, or a link to nowhere */
		rc = add_start(w, found.v[i], rest, exclude, item);
	}
	strlist_clear(&found);
	return rc;
}

int copy_parents(
	struct copy_selection *s, const struct copy_request *q, size_t item, struct err **err)
{
	const char *text = q->items[item].text, *pivot = strstr(text, "/./");
	auto_free char *left = pivot ? mem_strndup(text, (size_t)(pivot - text)) : mem_strdup("");
	auto_free char *start = path_clean(left, NULL);
	auto_free char *rest = path_clean(pivot ? pivot + 3 : text, NULL);
	struct parents w = {.s = s, .root = &q->root, .err = err};

	if (*rest && !(w.pattern = pattern_new(slice_of(rest), PATTERN_IGNORE))) {
		auto_free char *bad = fs_printable(text);
		return err_set(err, ERR_CONTEXT, "malformed pattern: %s", bad);
	}
	int rc = parents_add_all(&w, start, rest, q->exclude, item);
	pattern_free(w.pattern);
	return rc;
}
