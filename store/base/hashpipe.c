// SPDX-License-Identifier: Apache-2.0
/*
 * A ring of blocks. `made` counts blocks that are filled, `hashed` those that the thread is done
 * with; block i lies in slot i % HASHPIPE_BLOCKS. The filling thread writes a block while the other
 * one hashes it, and comes back to the slot when that is over.
 *
 * Waking a thread costs as much as hashing some ten KiB. So neither side wakes the other for one
 * block: the hashing one sleeps until WAKE blocks are filled (or somebody waits for a digest), the
 * filling one until as many slots are free.
 */
#include "store/base/hashpipe.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cpus.h"
#include "store/base/mem.h"
#include "store/base/thread.h"

#define WAKE (HASHPIPE_BLOCKS / 2)

/* Where a content begins, ends, or has a hole in a block. */
struct mark {
	size_t at;
	bool end;
	uint64_t hole; /* not 0: bytes of it, and nothing begins or ends */
	struct digest *learn;
	const struct digest *expect;
};

struct block {
	unsigned char *data; /* owned, HASHPIPE_BLOCK bytes */
	size_t fill;
	struct mark *marks; /* owned */
	size_t nmarks;
	size_t cap;
};

struct hashpipe {
	struct io_writer out;
	bool whole;
	bool failed;
	bool open; /* a content began and has not ended */
	struct block ring[HASHPIPE_BLOCKS];
	/* of whoever hashes */
	struct sha256 stream;
	struct sha256 content;
	bool inside;
	const struct digest *wrong;
	pthread_t thread;
	bool threaded;
	bool alone; /* no thread can be had */
	pthread_mutex_t lock;
	pthread_cond_t filled; /* for the thread */
	pthread_cond_t freed;  /* for the caller */
	/* under the lock */
	uint64_t made;
	uint64_t hashed;
	uint64_t wanted; /* the caller sleeps until so many are hashed; 0 = it does not */
	bool idle;       /* the thread sleeps */
	bool stop;
};

struct hashpipe *hashpipe_new(struct io_writer out, bool whole)
{
	struct hashpipe *p = mem_alloc(sizeof *p);

	p->out = out;
	p->whole = whole;
	sha256_init(&p->stream);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->filled, NULL);
	pthread_cond_init(&p->freed, NULL);
	return p;
}

static struct block *block_at(struct hashpipe *p, uint64_t i)
{
	return &p->ring[i % HASHPIPE_BLOCKS];
}

static void hash_bytes(struct hashpipe *p, const struct block *b, size_t from, size_t to)
{
	if (from == to)
		return; /* a block of marks alone has no bytes to point at */
	const unsigned char *data = b->data + from;
	size_t n = to - from;
	if (p->whole && p->inside)
		sha256_update2(&p->stream, &p->content, data, n);
	else if (p->whole)
		sha256_update(&p->stream, data, n);
	else if (p->inside)
		sha256_update(&p->content, data, n);
}

static void hash_hole(struct hashpipe *p, uint64_t n)
{
	static const unsigned char zeros[16384];

	for (size_t part; n; n -= part) {
		part = n < sizeof zeros ? (size_t)n : sizeof zeros;
		sha256_update(&p->content, zeros, part);
	}
}

static void pass_mark(struct hashpipe *p, const struct mark *m)
{
	struct digest got;

	if (m->hole) {
		hash_hole(p, m->hole);
		return;
	}
	p->inside = !m->end;
	if (!m->end) {
		sha256_init(&p->content);
		return;
	}
	sha256_final(&p->content, &got);
	if (m->learn)
		*m->learn = got;
	if (m->expect && !p->wrong && !sha256_equal(m->expect, &got))
		p->wrong = m->expect;
}

static void hash_block(struct hashpipe *p, const struct block *b)
{
	size_t at = 0;

	for (size_t i = 0; i < b->nmarks; i++) {
		hash_bytes(p, b, at, b->marks[i].at);
		at = b->marks[i].at;
		pass_mark(p, &b->marks[i]);
	}
	hash_bytes(p, b, at, b->fill);
}

static void *hashpipe_work(void *arg)
{
	struct hashpipe *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->hashed == p->made && !p->stop) {
			p->idle = true;
			pthread_cond_wait(&p->filled, &p->lock);
		}
		p->idle = false;
		if (p->stop)
			break;
		struct block *b = block_at(p, p->hashed);
		pthread_mutex_unlock(&p->lock);
		hash_block(p, b);
		pthread_mutex_lock(&p->lock);
		if (++p->hashed == p->wanted)
			pthread_cond_signal(&p->freed);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void hashpipe_start(struct hashpipe *p)
{
	if (p->threaded || p->alone || p->made < HASHPIPE_ALONE)
		return;
	p->alone = cpus_usable() == 1;
	if (p->alone)
		return;
	p->threaded = thread_start(&p->thread, hashpipe_work, p) == 0;
	p->alone = !p->threaded;
}

/* Wait until `want` of the blocks that were made are hashed. */
static void wait_hashed(struct hashpipe *p, uint64_t want)
{
	pthread_mutex_lock(&p->lock);
	if (p->hashed < want && p->idle)
		pthread_cond_signal(&p->filled);
	p->wanted = want;
	while (p->hashed < want)
		pthread_cond_wait(&p->freed, &p->lock);
	p->wanted = 0;
	pthread_mutex_unlock(&p->lock);
}

/* The slot of the next block, once nobody hashes what was in it. */
static void next_block(struct hashpipe *p)
{
	struct block *b = block_at(p, p->made);

	pthread_mutex_lock(&p->lock);
	bool full = p->made - p->hashed == HASHPIPE_BLOCKS;
	pthread_mutex_unlock(&p->lock);
	if (full)
		wait_hashed(p, p->made - HASHPIPE_BLOCKS + WAKE);
	b->fill = 0;
	b->nmarks = 0;
}

/* The current block is complete. */
static int hashpipe_hand_over(struct hashpipe *p, bool last, struct err **err)
{
	struct block *b = block_at(p, p->made);

	if (!last && (p->whole || p->open || b->nmarks))
		hashpipe_start(p);
	if (!p->threaded)
		hash_block(p, b);
	pthread_mutex_lock(&p->lock);
	p->made++;
	if (!p->threaded)
		p->hashed++;
	bool wake = p->idle && p->made - p->hashed >= WAKE;
	pthread_mutex_unlock(&p->lock);
	/* Without the lock, which the woken thread takes first. Only this thread can end its sleep.
	 */
	if (wake)
		pthread_cond_signal(&p->filled);
	if (b->fill && io_write(&p->out, b->data, b->fill, err) < 0) {
		p->failed = true;
		return -1;
	}
	return 0;
}

void *hashpipe_room(struct hashpipe *p, size_t *n)
{
	struct block *b = block_at(p, p->made);

	if (!b->data)
		b->data = mem_grow(NULL, HASHPIPE_BLOCK, 1);
	*n = HASHPIPE_BLOCK - b->fill;
	return b->data + b->fill;
}

static int hashpipe_failed(struct err **err)
{
	return err_set(err, ERR_SYS, "an earlier write failed");
}

int hashpipe_filled(struct hashpipe *p, size_t n, struct err **err)
{
	struct block *b = block_at(p, p->made);

	if (p->failed)
		return hashpipe_failed(err);
	b->fill += n;
	if (b->fill < HASHPIPE_BLOCK)
		return 0;
	if (hashpipe_hand_over(p, false, err) < 0)
		return -1;
	next_block(p);
	return 0;
}

int hashpipe_put(struct hashpipe *p, const void *data, size_t n, struct err **err)
{
	const unsigned char *at = data;

	while (n) {
		size_t room;
		void *to = hashpipe_room(p, &room);
		room = room < n ? room : n;
		memcpy(to, at, room);
		if (hashpipe_filled(p, room, err) < 0)
			return -1;
		at += room;
		n -= room;
	}
	return 0;
}

static void add_mark(struct hashpipe *p, struct mark m)
{
	struct block *b = block_at(p, p->made);

	m.at = b->fill;
	MEM_PUSH(b->marks, b->nmarks, b->cap) = m;
}

void hashpipe_begin(struct hashpipe *p)
{
	p->open = true;
	add_mark(p, (struct mark){.end = false});
}

void hashpipe_end(struct hashpipe *p, struct digest *learn, const struct digest *expect)
{
	p->open = false;
	add_mark(p, (struct mark){.end = true, .learn = learn, .expect = expect});
}

void hashpipe_hole(struct hashpipe *p, uint64_t n)
{
	if (n)
		add_mark(p, (struct mark){.hole = n});
}

int hashpipe_finish(struct hashpipe *p, struct digest *out, struct err **err)
{
	if (p->failed)
		return hashpipe_failed(err);
	if (hashpipe_hand_over(p, true, err) < 0)
		return -1;
	wait_hashed(p, p->made);
	next_block(p);
	if (out)
		sha256_final(&p->stream, out);
	return 0;
}

const struct digest *hashpipe_wrong(const struct hashpipe *p)
{
	return p->wrong;
}

void hashpipe_free(struct hashpipe *p)
{
	if (!p)
		return;
	if (p->threaded) {
		pthread_mutex_lock(&p->lock);
		p->stop = true;
		pthread_cond_signal(&p->filled);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	for (size_t i = 0; i < HASHPIPE_BLOCKS; i++) {
		free(p->ring[i].data);
		free(p->ring[i].marks);
	}
	pthread_cond_destroy(&p->freed);
	pthread_cond_destroy(&p->filled);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
