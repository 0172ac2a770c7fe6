// SPDX-License-Identifier: Apache-2.0
/*
 * Digests in an array, with duplicates unless digestset_add_new() is used, which is linear and for
 * few. Look-up bisects: it holds only after digestset_sort(), and until the next one is added.
 */
#include "store/digestset.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

static int digestset_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

void digestset_add(struct digestset *s, const struct digest *d)
{
	MEM_PUSH(s->v, s->n, s->cap) = *d;
}

void digestset_add_new(struct digestset *s, const struct digest *d)
{
	for (size_t i = 0; i < s->n; i++)
		if (sha256_equal(&s->v[i], d))
			return;
	digestset_add(s, d);
}

void digestset_sort(struct digestset *s)
{
	if (s->n > 1)
		qsort(s->v, s->n, sizeof *s->v, digestset_compare);
}

bool digestset_has(const struct digestset *s, const struct digest *d)
{
	return s->n && bsearch(d, s->v, s->n, sizeof *s->v, digestset_compare);
}

void digestset_clear(struct digestset *s)
{
	free(s->v);
	*s = (struct digestset){0};
}
