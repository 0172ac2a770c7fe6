// SPDX-License-Identifier: Apache-2.0
/*
 * Layers that are written while the stage goes on, by one thread for a stage, in order: the digest
 * of a layer is part of the name of every stack above it, so items that come later get it filled
 * in. After the first failure the rest is skipped. The configuration of the stage gets the digests
 * when it settles.
 */
#include "builder/cache/pending.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "builder/plan/dferr.h"
#include "store/base/mem.h"
#include "store/base/thread.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/tree/freeze.h"

struct item {
	struct item *next;
	struct pending_layer l;
	struct digest *stack; /* owned: the diff IDs up to this one; earlier items fill in theirs */
	struct digest *times; /* owned: of each */
	size_t n;
	bool done;
};

struct pending {
	struct session *se;
	pthread_t thread;
	bool threaded;
	struct item *items; /* in order; settled ones are removed. Owned */
	pthread_mutex_t lock;
	pthread_cond_t moved;
	/* behind the lock: */
	size_t waiting; /* items that are not done */
	bool end;
	struct err *err;      /* of the first that failed; nothing is done after it. Owned */
	struct strlist trash; /* uppers that the store had already: lowers of later steps */
};

struct pending *pending_new(struct session *se)
{
	struct pending *p = mem_alloc(sizeof *p);

	p->se = se;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->moved, NULL);
	return p;
}

/* --- the thread ----------------------------------------------------------------------------- */

/* A failure of another step is no reason to lose this one. */
static int stopped(void *ctx, struct err **err)
{
	const struct session *se = ctx;

	return cancel_asked(se->o->cancelled) ? stop_check(&se->stop, err) : 0;
}

static int land(struct pending *p, struct item *i, bool *kept, struct err **err)
{
	struct pending_layer *l = &i->l;
	struct store *s = p->se->s;

	if (stopped(p->se, err) < 0 ||
		layer_freezing_finish(l->freezing, stopped, p->se, err) < 0 ||
		blob_commit(l->tar, NULL, &l->record.layer, NULL, err) < 0)
		return -1;
	i->stack[i->n - 1] = l->record.layer;
	struct layer_stack k = {.diff_ids = i->stack, .times = i->times, .n = i->n};
	int r = snapshot_adopt(s, &k, l->temp, err);
	*kept = r == 1;
	return r < 0 ? -1 : 0;
}

static void pending_drop(struct pending_layer *l)
{
	layer_freezing_free(TAKE(l->freezing));
	blob_free(TAKE(l->tar));
}

/* Without the lock; the item may be gone afterwards. */
static void do_item(struct pending *p, struct item *i, bool skip)
{
	const struct step *sp = &i->l.rest.step;
	struct err *err = NULL;
	bool kept = skip;

	int r = skip ? err_set(&err, ERR_CANCELLED, "an earlier step failed")
		     : land(p, i, &kept, &err);
	if (r < 0)
		dferr_locate(&err, sp->df, sp->ins->keyword_span);
	r = flight_land(&i->l.rest, &i->l.record, r, &err);
	pending_drop(&i->l);
	pthread_mutex_lock(&p->lock);
	if (kept || r < 0)
		strlist_add(&p->trash, i->l.temp);
	for (struct item *k = i->next; k && r == 0; k = k->next)
		k->stack[i->n - 1] = i->l.record.layer;
	if (r < 0 && !p->err)
		p->err = TAKE(err);
	/* At once with the above: an item that is added later asks who is done for its stack. */
	i->done = true;
	p->waiting--;
	pthread_cond_broadcast(&p->moved);
	pthread_mutex_unlock(&p->lock);
	err_free(err);
	if (r < 0 && !skip)
		stop_all(&p->se->stop);
}

static struct item *next_item(struct pending *p)
{
	struct item *i = p->items;

	while (i && i->done)
		i = i->next;
	return i;
}

static void *pending_work(void *ctx)
{
	struct pending *p = ctx;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct item *i = next_item(p);
		if (!i && p->end)
			break;
		if (!i) {
			pthread_cond_wait(&p->moved, &p->lock);
			continue;
		}
		bool skip = p->err;
		pthread_mutex_unlock(&p->lock);
		do_item(p, i, skip);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void pending_start(struct pending *p)
{
	p->threaded = thread_start(&p->thread, pending_work, p) == 0;
}

/* --- the stage ------------------------------------------------------------------------------ */

static void free_item(struct item *i)
{
	pending_drop(&i->l);
	free(i->stack);
	free(i->times);
	free(i);
}

void pending_free(struct pending *p)
{
	if (!p)
		return;
	if (p->threaded) {
		pthread_mutex_lock(&p->lock);
		p->end = true;
		pthread_cond_broadcast(&p->moved);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	while (p->items) {
		struct item *i = p->items;
		p->items = i->next;
		free_item(i);
	}
	for (size_t i = 0; i < p->trash.n; i++)
		store_discard(p->se->s, p->trash.v[i]);
	strlist_clear(&p->trash);
	err_free(p->err);
	pthread_cond_destroy(&p->moved);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* What is done and not settled is known to the items that come later. */
static struct digest *stack_of(const struct pending *p, const struct layer_stack *below)
{
	struct digest *v = mem_array(below->n + 1, sizeof *v);

	for (size_t i = 0; i < below->n; i++)
		v[i] = below->diff_ids[i];
	for (const struct item *i = p->items; i; i = i->next)
		if (i->done)
			v[i->n - 1] = i->l.record.layer;
	return v;
}

void pending_add(struct pending *p, const struct layer_stack *below, struct pending_layer *take)
{
	struct item *i = mem_alloc(sizeof *i), **last;

	i->l = *take;
	i->n = below->n + 1;
	i->times = mem_array(i->n, sizeof *i->times);
	for (size_t k = 0; k < below->n; k++)
		i->times[k] = *layerstack_times(below, k);
	i->times[below->n] = take->record.times;
	if (!p->threaded)
		pending_start(p);
	pthread_mutex_lock(&p->lock);
	while (p->waiting >= PENDING_MAX)
		pthread_cond_wait(&p->moved, &p->lock);
	i->stack = stack_of(p, below);
	for (last = &p->items; *last; last = &(*last)->next)
		;
	*last = i;
	p->waiting++;
	pthread_cond_broadcast(&p->moved);
	bool skip = p->err;
	pthread_mutex_unlock(&p->lock);
	if (p->threaded)
		return;
	/* No thread is to be had: at once, then. */
	do_item(p, i, skip);
}

bool pending_any(const struct pending *p)
{
	return p && p->items;
}

bool pending_writes(const struct pending *p, int fd)
{
	bool found = false;

	for (const struct item *i = p ? p->items : NULL; i && !found; i = i->next)
		found = i->l.tar_fd == fd;
	return found;
}

void pending_keep(struct pending *p, const char *temp)
{
	pthread_mutex_lock(&p->lock);
	strlist_add(&p->trash, temp);
	pthread_mutex_unlock(&p->lock);
}

int pending_settle(struct pending *p, struct oci_config *c, struct err **err)
{
	int r = 0;

	if (!p)
		return 0;
	pthread_mutex_lock(&p->lock);
	while (p->waiting)
		pthread_cond_wait(&p->moved, &p->lock);
	if (p->err) {
		r = -1;
		err_set(err, err_get_kind(p->err), "%s", err_text(p->err));
	}
	while (r == 0 && p->items) {
		struct item *i = p->items;
		c->diff_ids[i->n - 1] = i->l.record.layer;
		p->items = i->next;
		free_item(i);
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}
