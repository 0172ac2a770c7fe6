/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request to stop, made by another thread or by a signal handler: an atomic_int that is 0 until
 * then. Other values are its owner's (a signal number, say).
 */
#ifndef BLD_STORE_BASE_CANCEL_H
#define BLD_STORE_BASE_CANCEL_H

#include <stdatomic.h>
#include <stddef.h>

/* c: borrowed; NULL asks for nothing. What was written before the request is not ordered by it. */
static inline int cancel_asked(const atomic_int *c)
{
	return c ? atomic_load_explicit(c, memory_order_relaxed) : 0;
}

#endif
