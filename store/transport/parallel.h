/* SPDX-License-Identifier: Apache-2.0 */
/* Independent pieces of work on a few threads. */
#ifndef BLD_STORE_TRANSPORT_PARALLEL_H
#define BLD_STORE_TRANSPORT_PARALLEL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"

#define PARALLEL_DEFAULT 3 /* connections to one registry at a time */

/*
 * fn(ctx, worker, i) for i in 0..n-1, at most `workers` at a time, each with its own worker number
 * below that. The first error stops what has not begun and is returned; *stop (may be NULL) is set
 * then, for the others to notice.
 */
int parallel_run(size_t n, unsigned workers,
	int (*fn)(void *ctx, unsigned worker, size_t i, struct err **err), void *ctx,
	atomic_int *stop, struct err **err);

/* The numbers 0..n-1, the one with the greatest size first, of equal ones the lower first: what
 * takes longest must not begin last. Owned by the caller. */
size_t *parallel_largest_first(const uint64_t *size, size_t n);

#endif
