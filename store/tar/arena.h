/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed as a whole, and a hash that outside names cannot attack.
 */
#ifndef BLD_STORE_TAR_ARENA_H
#define BLD_STORE_TAR_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "store/tar/entry.h"

/* Memory that is freed as a whole; allocations are 8-byte aligned and zeroed. */
struct layer_arena_chunk;
struct layer_arena {
	struct layer_arena_chunk *head; /* owned */
	size_t total;                   /* bytes of all chunks */
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

#endif
