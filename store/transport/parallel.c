// SPDX-License-Identifier: Apache-2.0
/*
 * Work items on a few threads, the caller's among them, in the order of their numbers. After the
 * first failure no new item begins; those that run are told by the stop flag, and only the first
 * error is kept. A thread that cannot be started is done without.
 */
#include "store/transport/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "store/base/mem.h"
#include "store/base/thread.h"

struct crew {
	pthread_mutex_t lock;
	size_t next, n;
	unsigned workers; /* numbers given out so far */
	int (*fn)(void *ctx, unsigned worker, size_t i, struct err **err);
	void *ctx;
	atomic_int *stop;
	bool failed;
	struct err *err; /* the first */
};

static void *parallel_work(void *arg)
{
	struct crew *c = arg;
	unsigned me;

	pthread_mutex_lock(&c->lock);
	me = c->workers++;
	while (!c->failed && c->next < c->n) {
		size_t i = c->next++;
		struct err *e = NULL;
		int rc;

		pthread_mutex_unlock(&c->lock);
		rc = c->fn(c->ctx, me, i, &e);
		pthread_mutex_lock(&c->lock);
		if (rc >= 0)
			continue;
		if (c->failed) {
			err_free(e);
			continue;
		}
		c->failed = true;
		c->err = e;
		if (c->stop)
			atomic_store_explicit(c->stop, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

int parallel_run(size_t n, unsigned workers,
	int (*fn)(void *ctx, unsigned worker, size_t i, struct err **err), void *ctx,
	atomic_int *stop, struct err **err)
{
	struct crew c = {.n = n, .fn = fn, .ctx = ctx, .stop = stop};
	pthread_t *threads;
	size_t started;

	if (workers > n)
		workers = (unsigned)n;
	threads = mem_array(workers + 1, sizeof *threads);
	pthread_mutex_init(&c.lock, NULL);
	/* This thread works too; fewer threads than wanted are enough. */
	started = thread_start_crew(threads, workers > 1 ? workers - 1 : 0, parallel_work, &c);
	parallel_work(&c);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&c.lock);
	free(threads);
	if (!c.failed)
		return 0;
	if (err)
		*err = c.err;
	else
		err_free(c.err);
	return -1;
}

struct sized {
	uint64_t size;
	size_t i;
};

static int larger_first(const void *a, const void *b)
{
	const struct sized *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->i < y->i ? -1 : 1;
}

size_t *parallel_largest_first(const uint64_t *size, size_t n)
{
	struct sized *v = mem_array(n + 1, sizeof *v);
	size_t *order = mem_array(n + 1, sizeof *order);

	for (size_t i = 0; i < n; i++)
		v[i] = (struct sized){size[i], i};
	qsort(v, n, sizeof *v, larger_first);
	for (size_t i = 0; i < n; i++)
		order[i] = v[i].i;
	free(v);
	return order;
}
