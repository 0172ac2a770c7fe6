// SPDX-License-Identifier: Apache-2.0
/*
 * Paths in a merged tree, resolved as the kernel would with the tree as its root; and where a path
 * that is not there would come to be.
 */
#include "store/tree/node.h"

#include <errno.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/tree/restpath.h"
#include "store/tree/tree.h"

/* Components that are not there come from the path and from links. */
#define LOST_MAX ((size_t)(LAYER_SYMLINKS_MAX + 1) * (LAYER_PATH_MAX + 1))

struct lookup {
	struct layer_node *root;
	struct layer_node *at; /* the last directory (or the file) that exists */
	struct buf lost;       /* "a/b": components that do not, below `at` */
	bool missing;
	int why; /* errno */
	struct layer_rest rest;
};

static void lookup_go_up(struct lookup *l)
{
	if (l->lost.len > 0) {
		char *slash = strrchr(l->lost.data, '/');
		l->lost.len = slash ? (size_t)(slash - l->lost.data) : 0;
		l->lost.data[l->lost.len] = 0;
	} else if (l->at->parent) {
		l->at = l->at->parent;
	}
}

static void lose(struct lookup *l, const char *name, size_t len, int why)
{
	if (!l->missing)
		l->why = why;
	l->missing = true;
	if (l->lost.len)
		buf_addc(&l->lost, '/');
	buf_add(&l->lost, name, len);
}

/* A file where a directory was expected becomes part of what is not there. */
static void lose_file(struct lookup *l)
{
	struct layer_node *file = l->at;
	if (l->missing || file->type == LAYER_DIR)
		return;
	l->at = file->parent;
	lose(l, file->name, file->name_len, ENOTDIR);
}

static void lookup_follow_link(struct lookup *l, const struct layer_node *n)
{
	const char *target = n->inode->link;
	if (!layer_rest_link(&l->rest, target)) {
		lose(l, n->name, n->name_len, ELOOP);
		return;
	}
	if (*target == '/')
		l->at = l->root;
}

static void lookup_step(struct lookup *l, const char *name, size_t len, bool follow)
{
	lose_file(l);
	if (l->missing) {
		lose(l, name, len, ENOENT);
		return;
	}
	struct layer_node *n = layer_node_search(l->at, name, len);
	bool last = layer_rest_empty(&l->rest);
	if (!n)
		lose(l, name, len, ENOENT);
	else if (n->type == LAYER_SYMLINK && (follow || !last))
		lookup_follow_link(l, n);
	else
		l->at = n;
}

static char *canonical(struct lookup *l)
{
	auto_buf struct buf out;
	char path[LAYER_PATH_MAX + 1];
	buf_init(&out, l->lost.max + sizeof path);
	layer_node_path(l->at, path);
	buf_adds(&out, path);
	if (out.len && l->lost.len)
		buf_addc(&out, '/');
	buf_add(&out, l->lost.data, l->lost.len);
	return buf_take(&out);
}

struct layer_node *layer_tree_lookup(
	const struct layer_tree *t, const char *path, bool follow, char **canon, int *missing)
{
	struct lookup l = {.root = layer_tree_root(t)};
	const char *name;
	size_t len;

	l.at = l.root;
	layer_rest_begin(&l.rest, path, strlen(path));
	buf_init(&l.lost, strlen(path) + LOST_MAX);
	while ((len = layer_rest_next(&l.rest, &name)) > 0) {
		if (len == 2 && name[0] == '.' && name[1] == '.') {
			lose_file(&l);
			lookup_go_up(&l);
		} else {
			lookup_step(&l, name, len, follow);
		}
	}
	if (canon)
		*canon = canonical(&l);
	if (l.missing && missing)
		*missing = l.why;
	struct layer_node *found = l.missing ? NULL : l.at;
	buf_clear(&l.lost);
	return found;
}
