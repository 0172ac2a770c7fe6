/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The destination: the merged tree of the layers below with what an instruction puts on top, before
 * any of it is written. Nodes appear when they are asked for; only what was put, and the
 * directories that lead to it, become entries.
 *
 * A directory of a source that is put where nothing else was is grafted: its children show at the
 * node without nodes of their own, unless one is asked for.
 */
#ifndef BLD_BUILDER_COPY_TARGET_H
#define BLD_BUILDER_COPY_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/copy/selection.h"
#include "store/base/err.h"
#include "store/tar/entry.h"

#define COPY_TARGET_ABSENT -1

struct copy_attrs {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
	uint32_t mtime_ns;
};

/* The names of one file of an archive. The header that came last holds for all of them. */
struct copy_links {
	const char *first; /* path of the name that carries the content; NULL: not written yet */
	struct copy_attrs attrs;
};

struct copy_node {
	struct copy_node *parent; /* NULL: the root */
	const char *name;
	void *kids;                     /* by name (tsearch) */
	const struct layer_node *below; /* what the layers below show here, or NULL */
	const struct copy_file *file;   /* put from a source */
	const struct copy_file *graft;  /* a directory whose children show here, or NULL */
	const struct layer_entry *own;  /* put otherwise; path and link names are not used */
	struct copy_links *links;
	struct copy_node *all;   /* every node of the target */
	struct copy_attrs attrs; /* of `own` */
	int64_t mtime;           /* of the directory, with `touched` */
	uint32_t mtime_ns;
	uint32_t source;       /* number, from 1, of the source that `file` is of, so that names of
				  one file become hard links; 0: they do not */
	uint32_t graft_source; /* the same for graft */
	bool touched;
	bool busy; /* it or something in it was put */
	bool gone; /* the layers below have a directory here that was replaced */
};

struct copy_target {
	struct copy_node *root;
	struct copy_node *all;
	const struct copy_dest *d; /* what goes for all files; or NULL */
	struct copy_pool pool;
};

void copy_target_init(struct copy_target *t, const struct layer_tree *below,
	const struct copy_dest *d); /* both may be NULL */
void copy_target_clear(struct copy_target *t);

/* enum layer_type, or COPY_TARGET_ABSENT. */
int copy_target_type(const struct copy_node *n);
/* The node of a name, there or not; dir is a directory or absent. */
struct copy_node *copy_target_child(
	struct copy_target *t, struct copy_node *dir, const char *name, size_t len);
/* Its node, if it has one. */
struct copy_node *copy_target_peek(const struct copy_node *dir, const char *name);
/*
 * A path below `root`, which ".." and absolute symlinks do not leave; symlinks are followed (the
 * last component only with follow); what is missing is taken as a directory to be. ERR_BUILD:
 * something that is no directory on the way, too many links, a name that is too long.
 */
struct copy_node *copy_target_walk(struct copy_target *t, struct copy_node *root, const char *path,
	bool follow, struct err **err);

/* Put a file or a directory here, with what is in it when it is grafted later. Over a directory,
 * anything but a directory hides its content. */
void copy_target_put_file(struct copy_node *n, const struct copy_file *f, uint32_t source);
void copy_target_put_entry(struct copy_node *n, const struct layer_entry *pool_own,
	struct copy_links *links, const struct copy_attrs *a);
/* The children of f show here; nodes that are here already go first. */
void copy_target_graft(struct copy_node *n, const struct copy_file *f, uint32_t source);
/* Make the directory n and its missing parents. ERR_BUILD when one of them is no directory. */
int copy_target_mkdirs(
	struct copy_target *t, struct copy_node *n, const struct copy_attrs *a, struct err **err);
/* A directory that is there, with another time. */
void copy_target_touch(
	struct copy_target *t, struct copy_node *n, int64_t mtime, uint32_t mtime_ns);

/* Absolute path for a message; owned. */
char *copy_target_show(const struct copy_node *n);

/* emit.c: everything that was put, in the order of a layer; a root directory is left out. */
struct copy_emit {
	/* An entry; f and source: where it is from, or NULL and 0. Content of f is not set. */
	int (*entry)(void *ctx, struct layer_entry *e, const struct copy_file *f, uint32_t source,
		struct err **err);
	void *ctx;
};
int copy_target_emit(struct copy_target *t, const struct copy_emit *out, struct err **err);

#define auto_copy_target CLEANUP(copy_target_clear)

#endif
