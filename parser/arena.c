// SPDX-License-Identifier: Apache-2.0
/*
 * A chain of blocks. Small requests are cut from the newest block; a request larger than half a
 * block gets one of its own, so little is wasted.
 */
#include "parser/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK 16384
#define ARENA_ALIGN _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	max_align_t data[];
};

struct arena {
	struct arena_block *blocks; /* owned; the first one is being filled */
	size_t total;
};

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof *a);

	if (!a)
		abort();
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

static struct arena_block *arena_block_new(size_t size)
{
	struct arena_block *b;

	if (size > SIZE_MAX - sizeof *b)
		abort();
	b = calloc(1, sizeof *b + size);
	if (!b)
		abort();
	b->size = size;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;
	char *at;

	if (size > SIZE_MAX / 2)
		abort();
	size = size ? (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN : ARENA_ALIGN;
	a->total += size;
	if (size > ARENA_BLOCK / 2) { /* behind the block being filled */
		struct arena_block *own = arena_block_new(size),
				   **at_link = b ? &b->next : &a->blocks;

		own->used = size;
		own->next = *at_link;
		*at_link = own;
		return own->data;
	}
	if (!b || b->size - b->used < size) {
		b = arena_block_new(ARENA_BLOCK);
		b->next = a->blocks;
		a->blocks = b;
	}
	at = (char *)b->data + b->used;
	b->used += size;
	return at;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		abort();
	return arena_alloc(a, count * size);
}

void *arena_grow(struct arena *a, void *old, size_t count, size_t *cap, size_t size)
{
	void *bigger;

	if (count < *cap)
		return old;
	assert(*cap < SIZE_MAX / 2);
	*cap = *cap ? *cap * 2 : 4;
	bigger = arena_array(a, *cap, size);
	if (count)
		memcpy(bigger, old, count * size);
	return bigger;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
	char *copy = arena_alloc(a, s.len + 1);

	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return (struct slice){copy, s.len};
}

struct slice arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	assert(len >= 0);
	text = arena_alloc(a, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return (struct slice){text, (size_t)len};
}

size_t arena_used(const struct arena *a)
{
	return a->total;
}
