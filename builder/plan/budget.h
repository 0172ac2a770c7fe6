/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much text a Dockerfile may become. A few lines can ask for any amount (ENV B=$A$A, stages
 * that continue each other), so what variables are expanded to, what is kept of it, and what a
 * stage copies from the one it continues is counted while it is made, for all stages of a build
 * together. It is not given back: nothing that is reasonable comes near.
 */
#ifndef BLD_BUILDER_PLAN_BUDGET_H
#define BLD_BUILDER_PLAN_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BUDGET_TEXT_MAX ((uint64_t)64 << 20) /* bytes, of one build */
#define BUDGET_ENTRY    64                   /* bytes that a string costs besides its text */

struct budget {
	_Atomic uint64_t taken;
};

/* Safe for several threads. b NULL: nobody counts. False: more than there may be. */
static inline bool budget_take(struct budget *b, uint64_t n)
{
	return !b || atomic_fetch_add(&b->taken, n) + n <= BUDGET_TEXT_MAX;
}

#endif
