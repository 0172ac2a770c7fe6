// SPDX-License-Identifier: Apache-2.0
/*
 * The tree below a selected directory, without what the ignore rules leave out. A directory is read
 * and closed before the next one is opened, so depth costs no descriptors. Files that the stat
 * index may know are stated by recall.c, in the order of the listing, which is that of the index.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/copy/pool.h"
#include "builder/copy/share.h"
#include "store/base/path.h"
#include "builder/copy/recall.h"
#include "builder/copy/selection.h"
#include "parser/ignore.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/mem.h"
#include "store/statcache.h"

struct walk {
	struct copy_selection *s;
	struct copy_share *share;
	const struct ignore *ignore;
	const struct statcache *index; /* or NULL */
	struct copy_recall *recall;    /* of the files that the index may know; or NULL */
	bool drops;                    /* there are excluded directories */
	uint64_t files;
	struct buf path; /* of the entry that is looked at */
	struct err **err;
};

static int copy_walk_fail(const struct walk *w, const char *dir, const char *name)
{
	struct copy_extra x = {
		.path = *name ? copy_pool_join(&w->s->pool, dir, name) : dir,
	};
	struct copy_file at = {.x = &x};

	if (errno == ESTALE)
		errno = 0;
	return copy_file_fail(&at, w->err);
}

/* 1 = selected, 0 = left out; *excluded when only something below a directory may be kept. */
static bool copy_walk_kept(
	struct walk *w, const char *dir, const struct copy_name *n, bool *excluded)
{
	*excluded = false;
	if (!w->ignore)
		return true;
	buf_reset(&w->path);
	buf_adds(&w->path, dir);
	if (*dir)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, n->name);
	struct slice slice = {w->path.data, w->path.len};
	if (!ignore_match(w->ignore, slice, NULL))
		return true;
	*excluded = true;
	return n->type == LAYER_DIR && ignore_may_contain(w->ignore, slice);
}

/* A child that is more than a name and a type. */
static int fill_child(struct walk *w, const struct copy_dir *d, const struct copy_file *dir,
	const struct copy_name *n, struct copy_file *c)
{
	struct copy_selection *s = w->s;

	if (strlen(dir->x->path) + strlen(n->name) + 1 > LAYER_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (n->type == LAYER_DIR) {
		copy_file_extra(c, &w->share->pool)->path =
			copy_pool_join(&w->share->pool, dir->x->path, n->name);
	} else if (n->plain) {
		c->content = COPY_CONTENT_DIR;
	} else if (s->vfs.ops->stat(&s->vfs, d, n->name, &w->share->pool, c) < 0) {
		return -1;
	}
	if (c->type == n->type)
		return 0;
	errno = ESTALE;
	return -1;
}

static int add_children(struct walk *w, struct copy_file *dir, const struct copy_dir *d,
	const struct copy_names *names)
{
	const char *path = dir->x->path;

	dir->child = copy_pool_array(&w->share->pool, names->n, sizeof *dir->child);
	for (size_t i = 0; i < names->n; i++) {
		const struct copy_name *n = &names->v[i];
		struct copy_file *c = &dir->child[dir->nchild];
		if (!copy_walk_kept(w, path, n, &c->excluded))
			continue;
		c->name = n->name;
		c->node = n->node;
		c->type = (uint8_t)n->type;
		c->parent = dir;
		if (fill_child(w, d, dir, n, c) < 0)
			return copy_walk_fail(w, path, n->name);
		w->drops |= c->excluded;
		dir->nchild++;
	}
	w->files += dir->nchild;
	if (w->files > COPY_FILES_MAX)
		return copy_selection_add(w->s, w->files, w->err);
	return 0;
}

/* Also of a directory that could not be read to its end: what is wrong with the files that come
 * first is told first. */
static void recall_children(struct walk *w, struct copy_file *dir, int fd)
{
	struct statcache_dir known;

	if (!w->index || !dir->x->indexed || !statcache_find_dir(w->index, dir->x->path, &known))
		return;
	if (!w->recall)
		w->recall = copy_recall_new(&w->share->pool);
	copy_recall_dir(w->recall, fd, dir, &known);
}

static int read_dir(struct walk *w, struct copy_file *dir)
{
	struct copy_selection *s = w->s;
	auto_names struct copy_names names = {0};
	struct copy_pool *pool = &w->share->pool;
	struct copy_dir d;

	if (copy_selection_cancelled(s, w->err))
		return -1;
	if (s->vfs.ops->open(&s->vfs, dir->x->path, &d) < 0)
		return copy_walk_fail(w, dir->x->path, "");
	int rc = 0;
	if (s->vfs.ops->stat(&s->vfs, &d, NULL, pool, dir) < 0 ||
		s->vfs.ops->names(&s->vfs, &d, pool, &names) < 0) {
		rc = copy_walk_fail(w, dir->x->path, "");
	} else {
		dir->x->indexed = w->share->store && copy_share_usable(w->share, dir->x->dev, d.fd);
		rc = add_children(w, dir, &d, &names);
		recall_children(w, dir, d.fd);
	}
	s->vfs.ops->close(&d);
	return rc;
}

/* Excluded directories in which nothing was kept go, the innermost first. Files are moved: nobody
 * may work on them. */
static void drop_empty(struct copy_file *dir)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < dir->nchild; i++)
		if (dir->child[i].type == LAYER_DIR)
			drop_empty(&dir->child[i]);

	for (uint32_t i = 0; i < dir->nchild; i++) {
		struct copy_file *c = &dir->child[i];
		if (c->type == LAYER_DIR && c->excluded && !c->nchild)
			continue;
		if (k != i) {
			dir->child[k] = *c;
			for (uint32_t j = 0; j < c->nchild; j++)
				c->child[j].parent = &dir->child[k];
		}
		k++;
	}
	dir->nchild = k;
}

/* What was read of the same directory before. Its children keep the parent they have. */
static bool reuse(const struct copy_file *seen, struct copy_file *dir)
{
	if (!seen)
		return false;
	dir->child = seen->child;
	dir->nchild = seen->nchild;
	dir->mode = seen->mode;
	dir->uid = seen->uid;
	dir->gid = seen->gid;
	dir->mtime = seen->mtime;
	dir->mtime_ns = seen->mtime_ns;
	dir->node = seen->node;
	dir->stated = true;
	dir->x->xattrs = seen->x->xattrs;
	dir->x->nxattrs = seen->x->nxattrs;
	dir->x->dev = seen->x->dev;
	dir->x->count = seen->x->count;
	dir->x->indexed = seen->x->indexed;
	return true;
}

static int copy_walk_walk_dir(struct walk *w, struct copy_file *dir, int depth)
{
	if (depth > LAYER_DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return copy_walk_fail(w, dir->x->path, "");
	}
	if (reuse(copy_share_find(w->share, dir->x->path), dir))
		return 0;
	if (read_dir(w, dir) < 0)
		return -1;
	dir->x->count = 0;
	for (uint32_t i = 0; i < dir->nchild; i++) {
		struct copy_file *c = &dir->child[i];
		dir->x->count++;
		if (c->type != LAYER_DIR)
			continue;
		if (copy_walk_walk_dir(w, c, depth + 1) < 0)
			return -1;
		dir->x->count += c->x->count;
	}
	return 0;
}

/* A tree numbers all its files; those that have a second name in this source are wanted. */
struct inodes {
	struct copy_file **v; /* owned */
	size_t n;
	size_t cap;
};

static void copy_walk_collect(void *ctx, struct copy_file *f)
{
	struct inodes *all = ctx;

	if (f->linked)
		MEM_PUSH(all->v, all->n, all->cap) = f;
}

static int ino_cmp(const void *a, const void *b)
{
	const struct copy_file *x = *(struct copy_file *const *)a;
	const struct copy_file *y = *(struct copy_file *const *)b;

	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

void copy_walk_linked(struct copy_file *top)
{
	struct inodes all = {.v = NULL};

	copy_file_each(top, copy_walk_collect, &all);
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, ino_cmp);
	for (size_t i = 0, end; i < all.n; i = end) {
		for (end = i + 1; end < all.n && all.v[i]->ino == all.v[end]->ino; end++)
			;
		all.v[i]->linked = end - i > 1;
	}
	free(all.v);
}

static int walk_tree(struct walk *w, struct copy_file *top)
{
	struct err *err = NULL, **out = w->err;

	w->err = &err;
	int rc = copy_walk_walk_dir(w, top, 0);
	w->err = out;
	const struct copy_file *failed = w->recall ? copy_recall_finish(w->recall) : NULL;
	if (failed) { /* it comes before the directory at which the walk ended */
		copy_walk_fail(w, failed->parent->x->path, failed->name);
		err_free(err);
		return -1;
	}
	if (rc < 0) {
		if (out)
			*out = err;
		else
			err_free(err);
		return -1;
	}
	if (w->drops)
		drop_empty(top);
	return 0;
}

int copy_walk(struct copy_selection *s, const struct copy_root *root, struct copy_file *dir,
	struct err **err)
{
	struct walk w = {.s = s, .share = s->share, .ignore = root->ignore, .err = err};
	struct copy_file *top = copy_share_find(s->share, dir->x->path);

	if (!top) {
		top = copy_pool_alloc(&s->share->pool, sizeof *top);
		top->name = dir->name;
		top->type = LAYER_DIR;
		top->excluded = dir->excluded;
		copy_file_extra(top, &s->share->pool)->path = dir->x->path;
		w.index = copy_share_index(s->share);
		buf_init(&w.path, (size_t)2 * LAYER_PATH_MAX);
		int rc = walk_tree(&w, top);
		buf_clear(&w.path);
		if (rc < 0)
			return -1;
		if (s->dir_fd < 0)
			copy_walk_linked(top);
		copy_share_add(s->share, top);
	}
	reuse(top, dir);
	return copy_selection_add(s, top->x->count, err);
}
