/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The destination: the merged tree of the layers below with what an instruction puts on top, before
 * any of it is written. Nodes appear when they are asked for; only what was put, and the
 * directories that lead to it, become entries.
 */
#ifndef BLD_BUILDER_COPY_TARGET_H
#define BLD_BUILDER_COPY_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/copy/selection.h"
#include "store/base/err.h"
#include "store/layer/layer.h"

#define COPY_TARGET_ABSENT -1

struct copy_node {
	struct copy_node *parent; /* NULL: the root */
	const char *name;
	void *kids;                     /* by name (tsearch) */
	const struct layer_node *below; /* what the layers below show here, or NULL */
	const struct copy_file *file;   /* put from a source */
	const struct layer_entry *own;  /* put otherwise; path and link names are not used */
	struct copy_links *links;
	struct copy_node *all; /* every node of the target */
	int64_t mtime;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	bool busy; /* it or something in it was put */
	bool gone; /* the layers below have a directory here that was replaced */
};

struct copy_target {
	struct copy_node *root;
	struct copy_node *all;
	struct copy_pool pool;
};

struct copy_attrs {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
};

void copy_target_init(
	struct copy_target *t, const struct layer_tree *below); /* below may be NULL */
void copy_target_clear(struct copy_target *t);

/* enum layer_type, or COPY_TARGET_ABSENT. */
int copy_target_type(const struct copy_node *n);
/* The node of a name, there or not; dir is a directory or absent. */
struct copy_node *copy_target_child(
	struct copy_target *t, struct copy_node *dir, const char *name, size_t len);
/*
 * A path from a directory on, symlinks followed inside the root (the last component only with
 * follow); what is missing is taken as a directory to be. ERR_BUILD: something that is no directory
 * on the way, too many links, a name that is too long.
 */
struct copy_node *copy_target_walk(struct copy_target *t, struct copy_node *from, const char *path,
	bool follow, struct err **err);

/* Put a file or a directory here. Over a directory, anything but a directory hides its content. */
void copy_target_put_file(struct copy_node *n, const struct copy_file *f, struct copy_links *links,
	const struct copy_attrs *a);
void copy_target_put_entry(struct copy_node *n, const struct layer_entry *pool_own,
	struct copy_links *links, const struct copy_attrs *a);
/* Make the directory n and its missing parents. ERR_BUILD when one of them is no directory. */
int copy_target_mkdirs(
	struct copy_target *t, struct copy_node *n, const struct copy_attrs *a, struct err **err);
/* A directory that is there, with another time. */
void copy_target_touch(struct copy_target *t, struct copy_node *n, int64_t mtime);

/* Everything that was put, as entries; a root directory is left out. Borrows from s. */
int copy_target_emit(struct copy_target *t, const struct copy_selection *s, unsigned long turn,
	struct layer_list *out, struct err **err);

/* Absolute path for a message; owned. */
char *copy_target_show(const struct copy_node *n);

#define auto_copy_target CLEANUP(copy_target_clear)

#endif
