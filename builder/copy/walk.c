// SPDX-License-Identifier: Apache-2.0
// The tree below a selected directory, without what the ignore rules leave out. A directory is read
// and closed before the next one is opened, so depth costs no descriptors.
#include <errno.h>
#include <string.h>

#include "builder/copy/path.h"
#include "builder/copy/selection.h"
#include "parser/ignore.h"
#include "store/base/cleanup.h"
#include "store/base/mem.h"

struct walk {
	struct copy_selection *s;
	const struct ignore *ignore;
	struct err **err;
};

static int fail(const struct walk *w, const char *dir, const char *name)
{
	int saved = errno;
	struct copy_file at = {.path = *name ? copy_pool_join(&w->s->pool, dir, name) : dir};
	auto_free char *shown = copy_file_show(&at);

	if (saved == ENOENT || saved == ENOTDIR || saved == ELOOP || saved == ESTALE)
		return err_set(w->err, ERR_CONTEXT, "%s: changed while it was read", shown);
	errno = saved;
	return err_sys_kind(w->err, ERR_CONTEXT, "cannot read %s", shown);
}

// 1 = selected, 0 = left out; *excluded when only something below a directory may be kept.
static bool kept(const struct walk *w, const char *dir, const struct copy_name *n, bool *excluded)
{
	*excluded = false;
	if (!w->ignore)
		return true;
	auto_free char *path = copy_path_join(dir, n->name);
	struct slice slice = slice_of(path);
	if (!ignore_match(w->ignore, slice, NULL))
		return true;
	*excluded = true;
	return n->type == LAYER_DIR && ignore_may_contain(w->ignore, slice);
}

static int add_children(const struct walk *w, struct copy_file *dir, const struct copy_dir *d,
	const struct copy_names *names)
{
	struct copy_selection *s = w->s;

	dir->child = copy_pool_array(&s->pool, names->n, sizeof *dir->child);
	for (size_t i = 0; i < names->n; i++) {
		const struct copy_name *n = &names->v[i];
		struct copy_file *c = &dir->child[dir->nchild];
		if (!kept(w, dir->path, n, &c->excluded))
			continue;
		if (copy_selection_count_file(s, w->err))
			return -1;
		c->name = n->name;
		c->node = n->node;
		c->type = n->type;
		c->fd = -1;
		c->parent = dir;
		if (strlen(dir->path) + strlen(n->name) + 1 > LAYER_PATH_MAX) {
			errno = ENAMETOOLONG;
			return fail(w, dir->path, n->name);
		}
		if (n->type == LAYER_DIR)
			c->path = copy_pool_join(&s->pool, dir->path, n->name);
		else if (n->plain)
			c->content = COPY_CONTENT_DIR;
		else if (s->vfs.ops->stat(&s->vfs, d, n->name, &s->pool, c) < 0)
			return fail(w, dir->path, n->name);
		if (c->type != n->type) {
			errno = ESTALE;
			return fail(w, dir->path, n->name);
		}
		dir->nchild++;
	}
	return 0;
}

static int read_dir(const struct walk *w, struct copy_file *dir)
{
	struct copy_selection *s = w->s;
	struct copy_names names;
	struct copy_dir d;

	if (copy_selection_cancelled(s, w->err))
		return -1;
	if (s->vfs.ops->open(&s->vfs, dir->path, &d) < 0)
		return fail(w, dir->path, "");
	int rc = 0;
	if (s->vfs.ops->stat(&s->vfs, &d, NULL, &s->pool, dir) < 0 ||
		s->vfs.ops->names(&s->vfs, &d, &s->pool, &names) < 0)
		rc = fail(w, dir->path, "");
	else
		rc = add_children(w, dir, &d, &names);
	s->vfs.ops->close(&d);
	return rc;
}

// Excluded directories in which nothing was kept go.
static void drop_empty(struct copy_file *dir)
{
	size_t k = 0;

	for (size_t i = 0; i < dir->nchild; i++) {
		struct copy_file *c = &dir->child[i];
		if (c->type == LAYER_DIR && c->excluded && !c->nchild)
			continue;
		if (k != i) {
			dir->child[k] = *c;
			for (size_t j = 0; j < c->nchild; j++)
				c->child[j].parent = &dir->child[k];
		}
		k++;
	}
	dir->nchild = k;
}

static int walk_dir(const struct walk *w, struct copy_file *dir, int depth)
{
	bool drops = false;

	if (depth > LAYER_DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return fail(w, dir->path, "");
	}
	if (read_dir(w, dir) < 0)
		return -1;
	for (size_t i = 0; i < dir->nchild; i++) {
		struct copy_file *c = &dir->child[i];
		if (c->type != LAYER_DIR)
			continue;
		if (walk_dir(w, c, depth + 1) < 0)
			return -1;
		drops |= c->excluded && !c->nchild;
	}
	if (drops)
		drop_empty(dir);
	return 0;
}

int copy_walk(struct copy_selection *s, const struct copy_root *root, struct copy_file *dir,
	struct err **err)
{
	struct walk w = {s, root->ignore, err};

	return walk_dir(&w, dir, 0);
}
