/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One allocation region: everything of a parse lives in it and is freed at once.
 *
 * Running out of memory aborts: sizes in a parse are bounded by the limits in dockerfile.h and
 * expand.h, and nothing has been written when it happens. Not safe for concurrent use of one arena.
 */
#ifndef BLD_PARSER_ARENA_H
#define BLD_PARSER_ARENA_H

#include <stddef.h>

#include "parser/slice.h"

struct arena;

struct arena *arena_new(void);
/* NULL is accepted. */
void arena_free(struct arena *a);

/* Zeroed memory, aligned for any type, never NULL; size 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t size);

/* Zeroed array; a product that overflows aborts. */
void *arena_array(struct arena *a, size_t count, size_t size);

/*
 * Make room for one more element of a growing array: returns old or a copy with more room.
 * count is the number in use, *cap is updated. For: x->items = arena_grow(a, x->items, x->n,
 * &x->cap, sizeof *x->items).
 */
void *arena_grow(struct arena *a, void *old, size_t count, size_t *cap, size_t size);

/* Copies that are NUL-terminated one byte past their length. */
struct slice arena_copy(struct arena *a, struct slice s);
struct slice arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Bytes handed out so far (tests of limits). */
size_t arena_used(const struct arena *a);

#endif
