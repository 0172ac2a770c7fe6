// SPDX-License-Identifier: Apache-2.0
/* A root that is a merged tree: of a stage, of an image, or of a context that came as a tar. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/copy/pool.h"
#include "builder/copy/selection.h"
#include "builder/copy/vfs.h"
#include "store/base/mem.h"
#include "store/tree/tree.h"

static int tree_resolve(const struct copy_vfs *v, const char *path, char **canon)
{
	int missing = 0;
	char *found = NULL;

	if (!layer_tree_lookup(v->tree, path, true, &found, &missing)) {
		free(found);
		errno = missing ? missing : ENOENT;
		return -1;
	}
	*canon = found;
	return 0;
}

static int tree_open(const struct copy_vfs *v, const char *canon, struct copy_dir *d)
{
	d->fd = -1;
	d->node = layer_tree_lookup(v->tree, canon, false, NULL, NULL);
	if (!d->node || layer_node_type(d->node) != LAYER_DIR) {
		errno = d->node ? ENOTDIR : ENOENT;
		return -1;
	}
	return 0;
}

static void tree_close(struct copy_dir *d)
{
	d->node = NULL;
}

static int tree_names(const struct copy_vfs *v, const struct copy_dir *d, struct copy_pool *pool,
	struct copy_names *out)
{
	size_t n = layer_node_nchildren(d->node);

	(void)v;
	out->n = n;
	out->v = mem_array(n + 1, sizeof *out->v);
	for (size_t i = 0; i < n; i++) {
		struct layer_node *c = layer_node_child(d->node, i);
		out->v[i] = (struct copy_name){.name = copy_pool_strdup(pool, layer_node_name(c)),
			.node = c,
			.type = layer_node_type(c)};
	}
	return 0;
}

static int tree_stat(const struct copy_vfs *v, const struct copy_dir *d, const char *name,
	struct copy_pool *pool, struct copy_file *f)
{
	const struct layer_node *n = name ? layer_node_find(d->node, name, strlen(name)) : d->node;
	struct layer_entry e;

	if (!n) {
		errno = ENOENT;
		return -1;
	}
	layer_node_attrs(n, &e);
	f->node = n;
	f->type = (uint8_t)e.type;
	f->mode = e.type == LAYER_SYMLINK ? 0777 : e.mode & 07777;
	f->uid = v->keep_owner ? e.uid : 0;
	f->gid = v->keep_owner ? e.gid : 0;
	f->mtime = e.mtime;
	f->mtime_ns = e.mtime_ns;
	f->size = e.type == LAYER_FILE ? e.size : 0;
	f->ino = e.type == LAYER_FILE ? layer_node_ino(n) : 0;
	f->linked = f->ino != 0;
	if (e.type == LAYER_SYMLINK || e.dev_major || e.dev_minor || e.nxattrs) {
		struct copy_extra *x = copy_file_extra(f, pool);
		x->dev_major = e.dev_major;
		x->dev_minor = e.dev_minor;
		x->link = e.type == LAYER_SYMLINK ? copy_pool_strdup(pool, e.link) : NULL;
		x->xattrs = copy_pool_xattrs(pool, e.xattrs, e.nxattrs);
		x->nxattrs = (uint32_t)e.nxattrs;
	}
	f->content = f->size ? COPY_CONTENT_NODE : COPY_CONTENT_NONE;
	f->stated = true;
	return 0;
}

const struct copy_vfs_ops copy_treesource = {
	.resolve = tree_resolve,
	.open = tree_open,
	.names = tree_names,
	.stat = tree_stat,
	.close = tree_close,
};
