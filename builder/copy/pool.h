/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one selection or one destination: pieces that live together and are freed at once.
 * Not thread-safe.
 */
#ifndef BLD_BUILDER_COPY_POOL_H
#define BLD_BUILDER_COPY_POOL_H

#include <stddef.h>

#include "store/tar/entry.h"

struct copy_pool_chunk;

struct copy_pool {
	struct copy_pool_chunk *head;
	size_t total; /* bytes of all chunks */
};

void *copy_pool_alloc(struct copy_pool *p, size_t size); /* zeroed, aligned for any type */
void *copy_pool_array(struct copy_pool *p, size_t n, size_t size);
char *copy_pool_strdup(struct copy_pool *p, const char *s);
/* dir + "/" + name, or name alone when dir is "". */
char *copy_pool_join(struct copy_pool *p, const char *dir, const char *name);
struct layer_xattr *copy_pool_xattrs(struct copy_pool *p, const struct layer_xattr *v, size_t n);
/* p owns from now on what `from` had. */
void copy_pool_take(struct copy_pool *p, struct copy_pool *from);
void copy_pool_clear(struct copy_pool *p);

#endif
