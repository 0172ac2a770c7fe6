/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of merged trees, and the delta: what one layer says over the tree below it.
 *
 * A delta is built from entries in the order of the tar; all name resolution happens there, in
 * memory: symlinks of the layer and of the tree below, missing parents, hard links, whiteouts,
 * opaque markers, duplicate names. What comes out are plain nodes, which are then merged into a
 * tree, written to a directory, or compared with one. No file system ever sees an outside name
 * that was not resolved here.
 *
 * Memory: a node and an inode are 64 bytes each, plus the name and one pointer in the parent.
 */
#ifndef BLD_STORE_TREE_NODE_H
#define BLD_STORE_TREE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/tar/times.h"
#include "store/tar/arena.h"
#include "store/tar/entry.h"
#include "store/tar/walk.h"
#include "store/tree/tree.h"

/* What few files have. */
struct layer_extra {
	bool moved; /* a directory whose time is not what the tar says, but this: */
	struct timespec moved_to;
	const struct layer_xattr *xattrs; /* sorted by name */
	size_t nxattrs;
	const struct layer_extent *extents;
	size_t nextents;
};

struct layer_inode {
	int64_t mtime;
	uint64_t size; /* of a device: major << 32 | minor */
	uint64_t data_off;
	const char *link;
	const struct layer_extra *extra; /* or NULL */
	uint32_t uid;
	uint32_t gid;
	int fd; /* the tar that has the content; borrowed */
	uint32_t ino;
	uint32_t mtime_ns;
	uint16_t mode;
	uint8_t type;    /* enum layer_type */
	bool linked : 1; /* more than one name in its layer */
	bool sparse : 1;
	bool matched : 1; /* compare: a file of the directory was found for it */
};
_Static_assert(sizeof(struct layer_inode) == 64, "memory of a tree");

/* The time that a form shows. */
static inline struct timespec layer_inode_time(const struct layer_inode *i)
{
	if (i->extra && i->extra->moved)
		return i->extra->moved_to;
	return (struct timespec){.tv_sec = i->mtime, .tv_nsec = i->mtime_ns};
}

enum {
	NODE_EXPLICIT = 1, /* delta: the layer gives it attributes (or content) of its own */
	NODE_HIDES = 2,    /* delta: what is below at this path cannot be seen */
	NODE_GONE = 4,     /* delta: was there for a while */
	NODE_SEEN = 8,     /* compare: found in the directory */
};

struct layer_node {
	struct layer_node *parent; /* NULL: the root */
	struct layer_node *lower;  /* delta: the node below at this path, or NULL */
	struct layer_inode *inode; /* NULL: a whiteout */
	struct layer_node **child; /* in order of names, except while a delta is built */
	const char *name;
	uint32_t nchild;
	uint32_t cap;
	uint32_t hash; /* delta */
	uint16_t name_len;
	uint16_t path_len;
	uint16_t depth;
	uint8_t type; /* enum layer_type: never LAYER_HARDLINK; LAYER_WHITEOUT in deltas only */
	uint8_t flags;
};
_Static_assert(LAYER_PATH_MAX < UINT16_MAX && LAYER_DEPTH_MAX < UINT16_MAX, "node fields");

struct layer_tree {
	struct layer_node root; /* first, so that a node finds its tree */
	struct layer_inode root_inode;
	struct layer_arena arena;
	int *fds; /* owned, and closed */
	size_t nfds;
	size_t fds_cap;
	uint32_t last_ino;
	char *scratch; /* owned, LAYER_PATH_MAX + 1 bytes: the path of layer_node_entry */
};

/* What an entry (no hard link) says, copied to the arena. All but directories get a new number. */
struct layer_inode *layer_inode_new(
	struct layer_arena *a, const struct layer_entry *e, uint32_t *last_ino);

/* Put the layer of a walk that was not begun on top; take_fd is kept until the tree is freed. */
int layer_tree_put(struct layer_tree *t, struct layer_walk *w, int take_fd,
	const struct layer_times *times, struct err **err);

/* The path of a node, written to out (LAYER_PATH_MAX + 1 bytes). */
void layer_node_path(const struct layer_node *n, char *out);
/* The node's attributes as an entry whose path is `path`. */
void layer_node_fill(const struct layer_node *n, const char *path, struct layer_entry *out);
/* Same type, mode, owner, time, size, link target, device and attributes (sorted); not the content.
 */
bool layer_node_matches(const struct layer_node *n, const struct layer_entry *e);

struct layer_delta {
	struct layer_node root;
	struct layer_inode root_inode;
	struct layer_arena arena;
	struct layer_node **slots; /* owned; all nodes, by parent and name */
	size_t nslots;
	size_t used;
	int implied;         /* directories made because a name goes through them */
	uint64_t link_bytes; /* of symlinks followed */
	struct layer_hash_key key;
	uint32_t *last_ino;
	uint32_t own_ino;
	/* The directory part of the last entry, as written, and where it led. */
	char *last_dir; /* owned, LAYER_PATH_MAX + 1 bytes */
	size_t last_len;
	struct layer_node *last_node; /* NULL: nothing remembered */
};

/* below may be NULL. last_ino: the counter of inode numbers of a tree, or NULL. */
void layer_delta_init(struct layer_delta *d, const struct layer_tree *below, uint32_t *last_ino);
void layer_delta_clear(struct layer_delta *d);
int layer_delta_add(struct layer_delta *d, const struct layer_entry *e, struct err **err);
/* init, all entries of a walk, finish. *d is to be cleared in any case. times may be NULL. */
int layer_delta_walk(struct layer_delta *d, struct layer_walk *w, const struct layer_tree *below,
	const struct layer_times *times, uint32_t *last_ino, struct err **err);
/* The same for a tar. */
int layer_delta_read(struct layer_delta *d, int tar_fd, const struct layer_tree *below,
	const struct layer_times *times, uint32_t *last_ino, struct err **err);
/* Is the directory opaque over something? */
bool layer_delta_opaque(const struct layer_node *n);
/* Binary search among the children of a finished delta node or tree node. */
struct layer_node *layer_node_search(const struct layer_node *n, const char *name, size_t len);
/* Bytewise order of two names. */
int layer_name_cmp(const char *a, size_t na, const char *b, size_t nb);

static inline void cleanup_delta(struct layer_delta *d)
{
	layer_delta_clear(d);
}
#define auto_delta CLEANUP(cleanup_delta)

#endif
