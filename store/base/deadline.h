/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long something may take. Times are milliseconds of CLOCK_MONOTONIC, which no change of the
 * wall clock moves. A deadline too far away to be counted is DEADLINE_NEVER; what is left is never
 * negative. Condition variables that are waited on here are made by deadline_cond_init().
 */
#ifndef BLD_STORE_BASE_DEADLINE_H
#define BLD_STORE_BASE_DEADLINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct deadline {
	uint64_t at; /* ms; UINT64_MAX = never */
};

#define DEADLINE_NEVER ((struct deadline){UINT64_MAX})

/* From now on. */
struct deadline deadline_in(uint64_t ms);
/* The same with a limit where 0 means that there is none. */
struct deadline deadline_limit(uint64_t ms);
/* Milliseconds left: 0 once it is over, UINT64_MAX for never. */
uint64_t deadline_left(struct deadline d);
bool deadline_over(struct deadline d);
/* What is left as poll() takes it, at most `most` (-1: no bound): 0 once it is over, -1 for never.
 * More than INT_MAX becomes that: who waits looks again. */
int deadline_poll(struct deadline d, int most);

void deadline_cond_init(pthread_cond_t *c);
/* Wait at most so long: 0, or ETIMEDOUT. As with pthread_cond_wait(), waking up says nothing. */
int deadline_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, struct deadline d);

#endif
