/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of store/layer share and nobody else sees: names, the order of paths, the
 * attributes that layers carry, an arena, and a hash that outside names cannot attack.
 */
#ifndef BLD_STORE_LAYER_INTERNAL_H
#define BLD_STORE_LAYER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/layer/layer.h"

#define LAYER_WH          ".wh."
#define LAYER_WH_LEN      4
#define LAYER_WH_AUFS     ".wh..wh."
#define LAYER_WH_OPAQUE   ".wh..wh..opq"
#define LAYER_EXTENTS_MAX ((size_t)1 << 20) /* pieces of one sparse file */
#define LAYER_TAR_BLOCK   512

/*
 * A name as it stands in an archive, made relative: no leading or doubled '/', no "." components;
 * ".." takes back the component before it, as text. A relative name that leads out of the root is
 * ERR_CORRUPT, or stays there with `clamp`; an absolute one stays there. out has room for
 * LAYER_PATH_MAX + 1 bytes. ERR_LIMIT past LAYER_PATH_MAX or LAYER_DEPTH_MAX.
 */
int layer_name_clean(const char *s, size_t n, bool clamp, char *out, struct err **err);

enum layer_name_kind {
	LAYER_NAME_PLAIN,
	LAYER_NAME_WHITEOUT, /* path rewritten to the name that is removed */
	LAYER_NAME_OPAQUE,   /* path rewritten to the directory */
	LAYER_NAME_SKIP,     /* aufs bookkeeping */
};
/* What a cleaned name means in a layer; rewrites it in place. -1: ERR_CORRUPT. */
int layer_name_kind(char *path, enum layer_name_kind *kind, struct err **err);

/* Does a component of this length begin with ".wh."? */
bool layer_name_reserved(const char *name, size_t len);
/* Is it a path as entries carry it: relative, clean, within the limits? */
bool layer_name_valid(const char *path);

/* Component by component, bytewise: "a" < "a/b" < "a.b". */
int layer_path_cmp(const char *a, const char *b);
/* Writing order: by path; of one path the whiteout, then the entry, then the opaque marker. */
int layer_entry_cmp(const struct layer_entry *a, const struct layer_entry *b);

/* The attributes that layers carry. */
bool layer_xattr_carried(const char *name);
/* Same names and values; both sorted by name. */
bool layer_xattrs_equal(
	const struct layer_xattr *a, size_t na, const struct layer_xattr *b, size_t nb);
void layer_xattrs_sort(struct layer_xattr *x, size_t n);

/* The path of an entry for messages, the middle of a very long one left out; owned by the caller.
 */
char *layer_show(const char *path);

/* Memory that is freed as a whole; allocations are 8-byte aligned and zeroed. */
struct layer_arena_chunk;
struct layer_arena {
	struct layer_arena_chunk *head; /* owned */
};
void *layer_arena_alloc(struct layer_arena *a, size_t n);
void *layer_arena_dup(struct layer_arena *a, const void *p, size_t n);
char *layer_arena_strndup(struct layer_arena *a, const char *s, size_t n);
/* src's memory belongs to dst from now on. */
void layer_arena_absorb(struct layer_arena *dst, struct layer_arena *src);
void layer_arena_clear(struct layer_arena *a);
/* Deep copies into the arena. */
struct layer_xattr *layer_arena_xattrs(
	struct layer_arena *a, const struct layer_xattr *x, size_t n);

/* SipHash-1-3 with a key of this process, so that nobody can make names that collide. */
struct layer_hash_key {
	uint64_t k0;
	uint64_t k1;
};
void layer_hash_key_init(struct layer_hash_key *key);
uint64_t layer_hash(const struct layer_hash_key *key, const void *p, size_t n);

struct layer_map;
/* The same as layer_writer_add, with the holes that the headers of this file told before. */
int layer_writer_add_mapped(struct layer_writer *w, const struct layer_entry *e,
	const struct layer_map *map, struct err **err);

/*
 * The headers of a tar without the contents, as layer_writer_head writes them; maps of sparse files
 * count as headers. The walker gives the
 * entries of the tar itself: tar_fd (borrowed, may be -1) and the places that contents have there.
 */
int layer_writer_head(struct layer_writer *w, const struct layer_entry *e, struct err **err);
struct layer_walk *layer_walk_new_heads(int fd, uint64_t size, int tar_fd);

/* Put the layer of a walk that was not begun on top; take_fd is kept until the tree is freed. */
int layer_tree_put(struct layer_tree *t, struct layer_walk *w, int take_fd,
	const struct layer_times *times, struct err **err);

#endif
