/* SPDX-License-Identifier: Apache-2.0 */
/* Digests that somebody collects: for gc.c and verify.c. Zero it to start. */
#ifndef BLD_STORE_DIGESTSET_H
#define BLD_STORE_DIGESTSET_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/cleanup.h"
#include "store/base/sha256.h"

struct digestset {
	struct digest *v; /* owned */
	size_t n, cap;
};

/* At the end, whether it is there or not. */
void digestset_add(struct digestset *s, const struct digest *d);
/* At the end, unless it is there: for short ones that are not sorted, for example of things to do
 * which bring more of them. */
void digestset_add_new(struct digestset *s, const struct digest *d);
void digestset_sort(struct digestset *s);
bool digestset_has(const struct digestset *s, const struct digest *d); /* it is sorted */
void digestset_clear(struct digestset *s);

#define auto_digestset CLEANUP(digestset_clear)

#endif
