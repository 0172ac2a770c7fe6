/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that never fails to its caller: out of memory ends the process with a message (store
 * writes are atomic, so that loses nothing). Sizes from outside are checked against a
 * named limit before they come here. Array sizes are overflow-checked.
 */
#ifndef BLD_STORE_BASE_MEM_H
#define BLD_STORE_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

#define MEM_EXIT_STATUS 8 /* as for any other system error (err.h) */
/* For whoever gets no memory from elsewhere: one line on stderr, then the process ends at once. */
void mem_exhausted(void) __attribute__((noreturn));

void *mem_alloc(size_t size); /* zeroed */
void *mem_array(size_t n, size_t size);
void *mem_grow(void *p, size_t n, size_t size); /* realloc to n * size; new part not zeroed */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);
void *mem_dup(const void *p, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Room for one more in a growing array: MEM_PUSH(list->v, list->n, list->cap) = value; */
#define MEM_PUSH(v, n, cap)                                                                        \
	(*(((n) == (cap) ? ((cap) = (cap) ? (cap)*2 : 8, (v) = mem_grow((v), (cap), sizeof *(v)),  \
				   0)                                                              \
			 : 0),                                                                     \
		&(v)[(n)++]))

#endif
