// SPDX-License-Identifier: Apache-2.0
#include "store/transport/ring.h"

#include <pthread.h>
#include <string.h>

#include "store/base/mem.h"

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t change;
	size_t start, len;
	bool ended, broken; /* the writer's side */
	bool left, drain;   /* the reader's side */
	char bytes[RING_SIZE];
};

struct ring *ring_new(void)
{
	struct ring *r = mem_alloc(sizeof *r);

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->change, NULL);
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	pthread_cond_destroy(&r->change);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static int ring_write(void *ctx, const void *p, size_t n, struct err **err)
{
	struct ring *r = ctx;
	const char *from = p;
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	while (n > 0 && rc == 0) {
		size_t end = (r->start + r->len) % RING_SIZE, room = RING_SIZE - r->len;

		if (r->left && r->drain)
			break;
		if (r->left) {
			rc = err_set(err, ERR_SYS, "the receiving side is closed");
			break;
		}
		if (room == 0) {
			pthread_cond_wait(&r->change, &r->lock);
			continue;
		}
		if (room > RING_SIZE - end)
			room = RING_SIZE - end;
		if (room > n)
			room = n;
		memcpy(r->bytes + end, from, room);
		r->len += room;
		from += room;
		n -= room;
		pthread_cond_signal(&r->change);
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

static ssize_t ring_read(void *ctx, void *p, size_t n, struct err **err)
{
	struct ring *r = ctx;
	ssize_t got = 0;

	pthread_mutex_lock(&r->lock);
	while (r->len == 0 && !r->ended)
		pthread_cond_wait(&r->change, &r->lock);
	if (r->broken) {
		got = err_set(err, ERR_NET, "the content did not arrive");
	} else if (r->len > 0) {
		size_t have = r->len < RING_SIZE - r->start ? r->len : RING_SIZE - r->start;

		have = have < n ? have : n;
		memcpy(p, r->bytes + r->start, have);
		r->start = (r->start + have) % RING_SIZE;
		r->len -= have;
		got = (ssize_t)have;
		pthread_cond_signal(&r->change);
	}
	pthread_mutex_unlock(&r->lock);
	return got;
}

struct io_writer ring_writer(struct ring *r)
{
	return (struct io_writer){.write = ring_write, .ctx = r};
}

struct io_reader ring_reader(struct ring *r)
{
	return (struct io_reader){.read = ring_read, .ctx = r};
}

void ring_end(struct ring *r, bool good)
{
	pthread_mutex_lock(&r->lock);
	if (!r->ended)
		r->broken = !good;
	r->ended = true;
	pthread_cond_broadcast(&r->change);
	pthread_mutex_unlock(&r->lock);
}

void ring_leave(struct ring *r, bool drain)
{
	pthread_mutex_lock(&r->lock);
	if (!r->left)
		r->drain = drain;
	r->left = true;
	pthread_cond_broadcast(&r->change);
	pthread_mutex_unlock(&r->lock);
}
