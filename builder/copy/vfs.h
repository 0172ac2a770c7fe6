/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two kinds of roots behind one interface: a directory (dirsource.c) and a merged tree
 * (treesource.c). Globbing, walking and digesting are written once on top of it.
 *
 * A canonical path has no symlinks, ".", ".." or '/' at its ends; "" is the root. It is a hint: a
 * directory root opens it with every symlink refused, so that a file that is exchanged meanwhile is
 * an error and never a way out.
 */
#ifndef BLD_BUILDER_COPY_VFS_H
#define BLD_BUILDER_COPY_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "builder/copy/pool.h"
#include "store/base/cleanup.h"
#include "store/tar/entry.h"
#include "store/tree/tree.h"

struct copy_file;
struct copy_vfs;

struct copy_dir {
	int fd; /* -1 in a tree */
	const struct layer_node *node;
};

struct copy_name {
	const char *name;
	const struct layer_node *node;
	enum layer_type type;
	bool plain; /* a regular file whose metadata is read with its content */
};

struct copy_names {
	struct copy_name *v; /* owned; bytewise order */
	size_t n;
};

static inline void cleanup_names(struct copy_names *n)
{
	free(n->v);
}
#define auto_names CLEANUP(cleanup_names)

/* All return 0, or -1 with errno. */
struct copy_vfs_ops {
	/* Follow every symlink of a clean path inside the root. *canon is owned by the caller. */
	int (*resolve)(const struct copy_vfs *v, const char *path, char **canon);
	/* A directory by its canonical path. */
	int (*open)(const struct copy_vfs *v, const char *canon, struct copy_dir *d);
	/* The names are in the pool; *out is overwritten. */
	int (*names)(const struct copy_vfs *v, const struct copy_dir *d, struct copy_pool *pool,
		struct copy_names *out);
	/* Metadata of an entry of d, no symlink followed; of d itself when name is NULL. */
	int (*stat)(const struct copy_vfs *v, const struct copy_dir *d, const char *name,
		struct copy_pool *pool, struct copy_file *f);
	void (*close)(struct copy_dir *d);
};

struct copy_vfs {
	const struct copy_vfs_ops *ops;
	int fd; /* borrowed */
	const struct layer_tree *tree;
	bool keep_owner;
};

extern const struct copy_vfs_ops copy_dirsource;
extern const struct copy_vfs_ops copy_treesource;

/* dirsource.c: the attributes of an open file that layers carry, sorted by name, in the pool. */
int copy_dirsource_xattrs(int fd, struct copy_pool *pool, struct copy_file *f);

struct stat;
/* Of a regular file; of others what needs no copy_extra. */
void copy_dirsource_stat(const struct stat *st, struct copy_file *f, bool keep_owner);

#endif
