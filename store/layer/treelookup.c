// SPDX-License-Identifier: Apache-2.0
// Paths in a merged tree, resolved as the kernel would with the tree as its root; and where a path
// that is not there would come to be.
#include "store/layer/tree.h"

#include <errno.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/mem.h"

#define TEXT_MAX ((size_t)8 * LAYER_PATH_MAX)

struct lookup {
	struct layer_node *root;
	struct layer_node *at; /* the last directory (or the file) that exists */
	struct buf lost;       /* "a/b": components that do not, below `at` */
	bool missing;
	int why;    /* errno */
	char *text; /* owned: what is left after symlinks */
	const char *rest;
	int links;
};

static void go_up(struct lookup *l)
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

static void follow_link(struct lookup *l, const struct layer_node *n)
{
	const char *target = n->inode->link;
	if (++l->links > LAYER_SYMLINKS_MAX || strlen(target) + strlen(l->rest) > TEXT_MAX) {
		lose(l, n->name, n->name_len, ELOOP);
		return;
	}
	char *text = mem_printf("%s/%s", target, l->rest);
	free(l->text);
	l->text = text;
	l->rest = text;
	if (*target == '/')
		l->at = l->root;
}

static void step(struct lookup *l, const char *name, size_t len, bool follow)
{
	lose_file(l);
	if (l->missing) {
		lose(l, name, len, ENOENT);
		return;
	}
	struct layer_node *n = layer_node_search(l->at, name, len);
	bool last = l->rest[strspn(l->rest, "/")] == 0;
	if (!n)
		lose(l, name, len, ENOENT);
	else if (n->type == LAYER_SYMLINK && (follow || !last))
		follow_link(l, n);
	else
		l->at = n;
}

static char *canonical(struct lookup *l)
{
	auto_buf struct buf out;
	char path[LAYER_PATH_MAX + 1];
	buf_init(&out, 2 * TEXT_MAX + sizeof path);
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
	struct lookup l = {.root = layer_tree_root(t), .rest = path};
	l.at = l.root;
	buf_init(&l.lost, 2 * TEXT_MAX);
	for (;;) {
		l.rest += strspn(l.rest, "/");
		const char *name = l.rest;
		size_t len = strcspn(name, "/");
		if (len == 0)
			break;
		l.rest += len;
		if (len == 1 && name[0] == '.')
			continue;
		if (len == 2 && name[0] == '.' && name[1] == '.') {
			lose_file(&l);
			go_up(&l);
		} else {
			step(&l, name, len, follow);
		}
	}
	if (canon)
		*canon = canonical(&l);
	if (l.missing && missing)
		*missing = l.why;
	struct layer_node *found = l.missing ? NULL : l.at;
	buf_clear(&l.lost);
	free(l.text);
	return found;
}
