// SPDX-License-Identifier: Apache-2.0
/*
 * A ring of pieces. `made` counts those that are filled, `taken` those that a thread began with,
 * `written` those that are out; piece i lies in slot i % nslots.
 */
#include "store/compress/gzipstream.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/thread.h"
#include "store/compress/gzippiece.h"

#define PIECE ((size_t)1 << 20)

struct slot {
	unsigned char *in; /* owned: GZIPPIECE_DICT bytes, then PIECE */
	size_t fill;
	struct gzippiece piece; /* .out is owned */
	bool done;              /* under the lock */
	struct err *err;        /* owned; why it could not be made */
};

struct gzipstream {
	struct io_writer out;
	int level;
	bool started; /* the header is out */
	bool failed;
	uint32_t crc;
	uint64_t total;
	struct slot *slots; /* owned */
	size_t nslots;
	struct gzippiece_coder *coder; /* owned; for pieces that this thread makes */
	pthread_t *threads;            /* owned */
	unsigned nthreads;             /* running */
	unsigned wanted;
	uint64_t written;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_cond_t finished;
	/* under the lock */
	uint64_t made;
	uint64_t taken;
	bool stop;
};

struct gzipstream *gzipstream_new(struct io_writer out, int level, unsigned threads)
{
	struct gzipstream *z = mem_alloc(sizeof *z);

	z->out = out;
	z->level = level;
	z->wanted = threads > 1 ? threads : 0; /* one does its work itself */
	z->nslots = 2 + z->wanted + z->wanted / 2;
	z->slots = mem_array(z->nslots, sizeof *z->slots);
	z->threads = mem_array(z->wanted + 1, sizeof *z->threads);
	pthread_mutex_init(&z->lock, NULL);
	pthread_cond_init(&z->filled, NULL);
	pthread_cond_init(&z->finished, NULL);
	return z;
}

void gzipstream_free(struct gzipstream *z)
{
	if (!z)
		return;
	pthread_mutex_lock(&z->lock);
	z->stop = true;
	pthread_cond_broadcast(&z->filled);
	pthread_mutex_unlock(&z->lock);
	for (unsigned i = 0; i < z->nthreads; i++)
		pthread_join(z->threads[i], NULL);
	for (size_t i = 0; i < z->nslots; i++) {
		free(z->slots[i].in);
		free(z->slots[i].piece.out);
		err_free(z->slots[i].err);
	}
	gzippiece_coder_free(z->coder);
	pthread_cond_destroy(&z->finished);
	pthread_cond_destroy(&z->filled);
	pthread_mutex_destroy(&z->lock);
	free(z->threads);
	free(z->slots);
	free(z);
}

static struct slot *slot_at(struct gzipstream *z, uint64_t i)
{
	return &z->slots[i % z->nslots];
}

/* A coder is made at the first piece, and its absence reported with every one. */
static void gzipstream_make(struct gzipstream *z, struct gzippiece_coder **coder, struct slot *s)
{
	if (!*coder)
		*coder = gzippiece_coder_new(z->level, &s->err);
	if (*coder)
		(void)gzippiece_make(*coder, &s->piece, &s->err);
}

static void *gzipstream_work(void *arg)
{
	struct gzipstream *z = arg;
	struct gzippiece_coder *coder = NULL;

	pthread_mutex_lock(&z->lock);
	for (;;) {
		while (z->taken == z->made && !z->stop)
			pthread_cond_wait(&z->filled, &z->lock);
		if (z->stop)
			break;
		struct slot *s = slot_at(z, z->taken++);
		pthread_mutex_unlock(&z->lock);
		gzipstream_make(z, &coder, s);
		pthread_mutex_lock(&z->lock);
		s->done = true;
		pthread_cond_signal(&z->finished);
	}
	pthread_mutex_unlock(&z->lock);
	gzippiece_coder_free(coder);
	return NULL;
}

/* Fewer threads than wanted are enough. */
static void gzipstream_start(struct gzipstream *z)
{
	z->nthreads += (unsigned)thread_start_crew(
		z->threads + z->nthreads, z->wanted - z->nthreads, gzipstream_work, z);
	z->wanted = z->nthreads;
}

static int gzipstream_put_header(struct gzipstream *z, struct err **err)
{
	/* deflate, no flags, time 0, unknown system */
	static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

	if (z->started)
		return 0;
	z->started = true;
	return io_write(&z->out, header, sizeof header, err);
}

/* Write the oldest piece, which is made. */
static int put_oldest(struct gzipstream *z, struct err **err)
{
	struct slot *s = slot_at(z, z->written);

	if (s->err) {
		if (err)
			*err = TAKE(s->err);
		return -1;
	}
	if (gzipstream_put_header(z, err) < 0 ||
		io_write(&z->out, s->piece.out, s->piece.len, err) < 0)
		return -1;
	z->crc = z->total ? gzippiece_join_crc(z->crc, s->piece.crc, s->piece.n) : s->piece.crc;
	z->total += s->piece.n;
	z->written++;
	return 0;
}

/* Write what is ready; wait until at most `pending` pieces are not written. */
static int drain(struct gzipstream *z, uint64_t pending, struct err **err)
{
	while (z->written < z->made) {
		struct slot *s = slot_at(z, z->written);

		pthread_mutex_lock(&z->lock);
		while (!s->done && z->made - z->written > pending)
			pthread_cond_wait(&z->finished, &z->lock);
		bool ready = s->done;
		pthread_mutex_unlock(&z->lock);
		if (!ready)
			return 0;
		if (put_oldest(z, err) < 0)
			return -1;
	}
	return 0;
}

/* The current piece is complete. The end of it is the next one's dictionary. */
static int gzipstream_hand_over(struct gzipstream *z, bool last, struct err **err)
{
	struct slot *s = slot_at(z, z->made), *next;
	size_t dict;

	s->piece.data = s->in + GZIPPIECE_DICT;
	s->piece.n = s->fill;
	dict = s->fill < GZIPPIECE_DICT ? s->fill : GZIPPIECE_DICT;
	if (!last && z->nthreads < z->wanted)
		gzipstream_start(z);
	if (z->nthreads == 0)
		gzipstream_make(z, &z->coder, s);
	pthread_mutex_lock(&z->lock);
	s->done = z->nthreads == 0;
	z->made++;
	if (s->done)
		z->taken++;
	pthread_cond_signal(&z->filled);
	pthread_mutex_unlock(&z->lock);
	if (drain(z, last ? 0 : z->nslots - 1, err) < 0)
		return -1;
	next = slot_at(z, z->made);
	if (!next->in)
		next->in = mem_grow(NULL, GZIPPIECE_DICT + PIECE, 1);
	memcpy(next->in + GZIPPIECE_DICT - dict, s->piece.data + s->fill - dict, dict);
	next->piece.dict = dict;
	next->fill = 0;
	return 0;
}

void *gzipstream_room(struct gzipstream *z, size_t *n)
{
	struct slot *s = slot_at(z, z->made);

	if (!s->in)
		s->in = mem_grow(NULL, GZIPPIECE_DICT + PIECE, 1);
	*n = PIECE - s->fill;
	return s->in + GZIPPIECE_DICT + s->fill;
}

static int gzipstream_check(const struct gzipstream *z, struct err **err)
{
	return z->failed ? err_set(err, ERR_SYS, "compression: an earlier write failed") : 0;
}

int gzipstream_filled(struct gzipstream *z, size_t n, struct err **err)
{
	struct slot *s = slot_at(z, z->made);

	if (gzipstream_check(z, err) < 0)
		return -1;
	s->fill += n;
	if (s->fill == PIECE)
		z->failed = gzipstream_hand_over(z, false, err) < 0;
	return z->failed ? -1 : 0;
}

static void little_endian(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

int gzipstream_finish(struct gzipstream *z, struct err **err)
{
	/* an empty final block with fixed codes */
	unsigned char tail[10] = {0x03, 0x00};

	if (gzipstream_check(z, err) < 0)
		return -1;
	z->failed = true; /* nothing may follow */
	if (slot_at(z, z->made)->fill ? gzipstream_hand_over(z, true, err) < 0
				      : drain(z, 0, err) < 0)
		return -1;
	if (gzipstream_put_header(z, err) < 0)
		return -1;
	little_endian(tail + 2, z->crc);
	little_endian(tail + 6, (uint32_t)z->total);
	return io_write(&z->out, tail, sizeof tail, err);
}
