// SPDX-License-Identifier: Apache-2.0
/*
 * Memory of a copy, freed as a whole. Chunks double up to a limit; a pool that has become large
 * grows by pieces that bulk_alloc() puts into a file. Taking over another pool hangs its chunks
 * behind the one that is being filled, so pointers into both stay valid.
 */
#include "builder/copy/pool.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/bulk.h"
#include "store/base/mem.h"

#define CHUNK_MIN   ((size_t)4 << 10)
#define CHUNK_MAX   ((size_t)1 << 20)
#define LARGE       ((size_t)16 << 20) /* a pool of more grows by pieces that are no anonymous memory */
#define CHUNK_LARGE ((size_t)8 << 20)
#define TRIM_FROM   ((size_t)16 << 20)
#define ALIGN       (sizeof(union align))

union align {
	void *p;
	uint64_t u;
};

struct copy_pool_chunk {
	struct copy_pool_chunk *next;
	size_t size;
	size_t used;
	union align data[];
};

void *copy_pool_alloc(struct copy_pool *p, size_t size)
{
	struct copy_pool_chunk *c = p->head;

	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!c || c->size - c->used < size) {
		size_t most = p->total < LARGE ? CHUNK_MAX : CHUNK_LARGE;
		size_t want = c && c->size < CHUNK_MAX ? c->size * 2 : c ? most : CHUNK_MIN;
		if (want < size)
			want = size;
		c = bulk_alloc(sizeof *c + want);
		c->size = want;
		p->total += want;
		c->next = p->head;
		p->head = c;
	}
	char *at = (char *)c->data + c->used;
	c->used += size;
	return at;
}

void *copy_pool_array(struct copy_pool *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		mem_exhausted();
	return copy_pool_alloc(p, bytes);
}

char *copy_pool_strdup(struct copy_pool *p, const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(copy_pool_alloc(p, n), s, n);
}

char *copy_pool_join(struct copy_pool *p, const char *dir, const char *name)
{
	size_t d = strlen(dir), n = strlen(name);
	char *out = copy_pool_alloc(p, d + n + 2);

	if (d) {
		memcpy(out, dir, d);
		out[d++] = '/';
	}
	memcpy(out + d, name, n + 1);
	return out;
}

struct layer_xattr *copy_pool_xattrs(struct copy_pool *p, const struct layer_xattr *v, size_t n)
{
	struct layer_xattr *out = n ? copy_pool_array(p, n, sizeof *out) : NULL;

	for (size_t i = 0; i < n; i++) {
		void *value = copy_pool_alloc(p, v[i].len + 1);
		if (v[i].len)
			memcpy(value, v[i].value, v[i].len);
		out[i].name = copy_pool_strdup(p, v[i].name);
		out[i].value = value;
		out[i].len = v[i].len;
	}
	return out;
}

void copy_pool_take(struct copy_pool *p, struct copy_pool *from)
{
	struct copy_pool_chunk **end = &p->head; /* behind the chunk that p still fills */

	while (*end)
		end = &(*end)->next;
	*end = from->head;
	p->total += from->total;
	*from = (struct copy_pool){0};
}

void copy_pool_clear(struct copy_pool *p)
{
	size_t freed = 0;

	while (p->head) {
		struct copy_pool_chunk *next = p->head->next;
		freed += p->head->size;
		bulk_free(p->head, sizeof *p->head + p->head->size);
		p->head = next;
	}
	p->total = 0;
	/* The next step's merged tree may need as much, in pieces of another size. */
	if (freed >= TRIM_FROM)
		malloc_trim(0);
}
