// SPDX-License-Identifier: Apache-2.0
/* The inode of an entry: what a tree keeps of it beside the name. */
#include "store/tar/arena.h"
#include "store/tree/node.h"
#include "store/tar/name.h"

#include <string.h>

static const struct layer_extra *extra_of(struct layer_arena *a, const struct layer_entry *e)
{
	if (!e->nxattrs && !e->extents)
		return NULL;
	struct layer_extra *x = layer_arena_alloc(a, sizeof *x);
	struct layer_xattr *xattrs = layer_arena_xattrs(a, e->xattrs, e->nxattrs);
	layer_xattrs_sort(xattrs, e->nxattrs);
	x->xattrs = xattrs;
	x->nxattrs = e->nxattrs;
	x->nextents = e->nextents;
	if (e->extents)
		x->extents = layer_arena_dup(a, e->extents, e->nextents * sizeof *e->extents);
	return x;
}

struct layer_inode *layer_inode_new(
	struct layer_arena *a, const struct layer_entry *e, uint32_t *last_ino)
{
	struct layer_inode *i = layer_arena_alloc(a, sizeof *i);
	bool device = e->type == LAYER_CHAR || e->type == LAYER_BLOCK;
	i->mtime = e->mtime;
	i->mtime_ns = e->mtime_ns;
	i->size = device ? (uint64_t)e->dev_major << 32 | e->dev_minor : e->size;
	i->data_off = e->data_off;
	i->link =
		e->type == LAYER_SYMLINK ? layer_arena_strndup(a, e->link, strlen(e->link)) : NULL;
	i->extra = extra_of(a, e);
	/* Symlinks have no mode of their own on Linux. */
	i->mode = (uint16_t)(e->type == LAYER_SYMLINK ? 0777 : e->mode);
	i->uid = e->uid;
	i->gid = e->gid;
	i->fd = e->fd;
	i->ino = e->type == LAYER_DIR ? 0 : ++*last_ino;
	i->type = (uint8_t)e->type;
	i->sparse = e->extents != NULL;
	return i;
}
