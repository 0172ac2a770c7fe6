/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for tables with a line for every file of a layer or a context. Their length comes from
 * outside and can be millions, so what is large lies in a file without a name, which the kernel can
 * write out when memory is short, and is no anonymous memory. The directory is $TMPDIR, else
 * /var/tmp; where no file can be had there (full, no O_TMPFILE) it is memory as any other.
 *
 * As mem.h: zeroed, and never NULL.
 */
#ifndef BLD_STORE_BASE_BULK_H
#define BLD_STORE_BASE_BULK_H

#include <stddef.h>

#define BULK_MIN ((size_t)4 << 20) /* bytes; what is smaller comes from mem_alloc() */

void *bulk_alloc(size_t size);
/* n members of `size` bytes; the product is checked. */
void *bulk_array(size_t n, size_t size);
/* To `size` bytes from `old`, which is what it was given; the new part is zeroed. p may be NULL
 * with old == 0. */
void *bulk_grow(void *p, size_t old, size_t size);
/* NULL is accepted; size: what it was given. Keeps errno. */
void bulk_free(void *p, size_t size);

/* MEM_PUSH for a list that bulk_free(v, cap * sizeof *v) frees. */
#define BULK_PUSH(v, n, cap)                                                                       \
	(*((void)((n) == (cap) && ((v) = bulk_grow((v), (cap) * sizeof *(v),                       \
					   ((cap) ? (cap)*2 : 8) * sizeof *(v)),                   \
					  (cap) = (cap) ? (cap)*2 : 8)),                           \
		&(v)[(n)++]))

#endif
