/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a build comes to an end before its time: a signal came, or something of it failed while other
 * stages are at work. Asked for once, it is never taken back.
 */
#ifndef BLD_BUILDER_STOP_H
#define BLD_BUILDER_STOP_H

#include <pthread.h>
#include <stdbool.h>

#include "store/base/cancel.h"
#include "store/base/err.h"

#define STOP_FAILURE (-1) /* value of `asked` when no signal came */

struct stop {
	const atomic_int *signal; /* the caller's: number of a signal once one came; or NULL */
	bool parallel;            /* stages are built by threads of their own */
	pthread_mutex_t lock;     /* for who waits for something, and for the end beside it */
	pthread_cond_t changed;   /* of deadline_cond_init(); what is waited for, or the end, came */
	/* Not 0: a signal came (its number), or STOP_FAILURE. Also read without the lock. */
	atomic_int asked;
};

void stop_init(struct stop *s, const atomic_int *signal);
void stop_clear(struct stop *s);

/* 0, the number of a signal, or STOP_FAILURE. */
static inline int stop_get(const struct stop *s)
{
	return cancel_asked(&s->asked);
}

/* With the lock held: who waits is to be told. */
static inline void stop_set(struct stop *s, int value)
{
	atomic_store_explicit(&s->asked, value, memory_order_relaxed);
}

/* What work that takes long polls: not 0 once it is to end. */
const atomic_int *stop_flag(const struct stop *s);
/* Something failed behind the back of who is at work: everybody is to end. */
void stop_all(struct stop *s);
/* Is this work to end because another one failed? */
bool stop_by_other(const struct stop *s);
/* 0, or -1 with ERR_CANCELLED once the build is to stop. */
int stop_check(const struct stop *s, struct err **err);

#endif
