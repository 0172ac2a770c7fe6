/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The merged tree of a stack of layers.
 */
#ifndef BLD_STORE_TREE_TREE_H
#define BLD_STORE_TREE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/err.h"
#include "store/tar/entry.h"
#include "store/tar/list.h"
#include "store/tar/times.h"

struct layer_node; /* a file of the merged tree; valid as long as the tree is not changed or freed
		    */
struct layer_tree;

struct layer_tree *layer_tree_new(void); /* an empty root directory, 0755 0:0 */
/*
 * Put a layer's tar on top. take_fd is kept until the tree is freed. Symlinks in the directory part
 * of a name resolve inside the root; missing parents are made 0755 0:0; hard links must name a file
 * that is in the root by then, else ERR_CORRUPT. Opaque markers hide only lower layers, wherever in
 * the tar they stand.
 */
int layer_tree_apply(struct layer_tree *t, int take_fd, struct err **err);
/* The same of a layer whose times are known (NULL: in seconds). They show in directories and
 * indexes that are made of the tree, and in entries as mtime_ns; the seconds of an entry are those
 * of the tar. ERR_CORRUPT: times that belong to something else. */
int layer_tree_apply_timed(
	struct layer_tree *t, int take_fd, const struct layer_times *times, struct err **err);
void layer_tree_free(struct layer_tree *t);

struct layer_node *layer_tree_root(const struct layer_tree *t);
/*
 * Resolve a path inside the root (absolute or relative to the root, ".." clamped at the root,
 * symlinks followed inside; the last one only with follow). NULL when something is missing or a
 * loop is met. canon, when not NULL, receives the path without symlinks, relative, owned by the
 * caller; with a NULL return it is the canonical path of the longest existing directory prefix plus
 * the remaining components (lexically cleaned), which is where a mkdir -p would put it; *missing
 * (may be NULL) tells if a non-directory was in the way (ENOTDIR), a loop (ELOOP) or nothing
 * (ENOENT).
 */
struct layer_node *layer_tree_lookup(
	const struct layer_tree *t, const char *path, bool follow, char **canon, int *missing);

/* The node as an entry: path is its canonical path (borrowed, valid until the next call on this
 * tree); hard links appear as LAYER_FILE each; LAYER_DATA_FD/extents set for files. */
void layer_node_entry(const struct layer_node *n, struct layer_entry *out);
/* The same but for the path, which is the node's name: for several threads at a time. */
void layer_node_attrs(const struct layer_node *n, struct layer_entry *out);
const char *layer_node_name(const struct layer_node *n);
enum layer_type layer_node_type(const struct layer_node *n);
/* Same number for hard links of one file, different for different files; 0 for non-files. */
uint64_t layer_node_ino(const struct layer_node *n);
/* Children in bytewise order of names. */
size_t layer_node_nchildren(const struct layer_node *n);
struct layer_node *layer_node_child(const struct layer_node *n, size_t i);
struct layer_node *layer_node_find(const struct layer_node *n, const char *name, size_t len);
/* Content of a regular file of at most max bytes (for /etc/passwd and the like). NUL-terminated,
 * owned. */
char *layer_node_read(const struct layer_node *n, size_t max, size_t *len, struct err **err);

/*
 * The layer that makes `top` of `below`: entries for what is new or changed and the directories on
 * the way to it, whiteouts for what is gone, all names of a file together. A change of a
 * directory's time alone is none. Both trees must be of tars (LAYER_DATA_FD), and live as long as
 * the list, which is the caller's.
 */
struct layer_list *layer_difference(const struct layer_tree *below, const struct layer_tree *top);

DEFINE_CLEANUP(struct layer_tree *, layer_tree_free);
#define auto_layer_tree CLEANUP(layer_tree_freep)

#endif
