// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors of opened layers by name, for all threads. Callers get duplicates, so an entry never
 * goes away under them; what is over KEEP_FDS_MAX is not kept, and nothing is thrown out before the
 * end.
 */
#include "store/keep.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

struct kept {
	char *name; /* owned */
	struct lower l;
};

struct keep {
	pthread_mutex_t lock;
	struct kept *v; /* owned */
	size_t n, cap;
	size_t fds;
};

struct keep *keep_new(void)
{
	struct keep *k = mem_alloc(sizeof *k);

	pthread_mutex_init(&k->lock, NULL);
	return k;
}

void keep_free(struct keep *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++) {
		free(k->v[i].name);
		lower_clear(&k->v[i].l);
	}
	free(k->v);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static struct kept *keep_find(struct keep *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->v[i].name, name) == 0)
			return &k->v[i];
	return NULL;
}

bool keep_get(struct keep *k, const char *name, struct lower *out)
{
	pthread_mutex_lock(&k->lock);
	const struct kept *e = keep_find(k, name);
	bool found = e && lower_dup_one(out, &e->l) == 0;
	pthread_mutex_unlock(&k->lock);
	return found;
}

void keep_put(struct keep *k, const char *name, const struct lower *l)
{
	struct lower own;

	pthread_mutex_lock(&k->lock);
	if (!keep_find(k, name) && k->fds + l->ntars + 1 <= KEEP_FDS_MAX &&
		lower_dup_one(&own, l) == 0) {
		k->fds += l->ntars + 1;
		MEM_PUSH(k->v, k->n, k->cap) = (struct kept){.name = mem_strdup(name), .l = own};
	}
	pthread_mutex_unlock(&k->lock);
}
