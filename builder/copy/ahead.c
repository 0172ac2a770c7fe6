// SPDX-License-Identifier: Apache-2.0
/*
 * A ring of pieces, numbered as they are filled: `given` back, `claimed` by who reads them, `made`.
 * Piece i lies in slot i % COPY_AHEAD_QUEUE.
 */
#include "builder/copy/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/copy/pool.h"
#include "builder/copy/vfs.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/cpus.h"
#include "store/base/mem.h"
#include "store/base/thread.h"
#include "store/statcache.h"

#define HELPERS (COPY_AHEAD_THREADS - 1)

struct item {
	struct layer_entry e; /* without its path */
	size_t path;          /* in the piece's paths */
	struct copy_file *f;
	uint32_t source;
	bool wanted; /* to be read */
	bool fresh;  /* attributes are wanted as well */
	bool read;
	struct copy_got got;
};

struct piece {
	struct item items[COPY_AHEAD_PIECE];
	size_t n;
	struct buf paths;
	unsigned char *data; /* owned; COPY_AHEAD_BYTES, or NULL */
	bool done;           /* under the lock: read */
};

struct copy_ahead {
	const struct copy_selection *s;
	copy_ahead_fn *fn;
	void *ctx;
	size_t files; /* of directory roots, so far */
	bool alone;   /* no thread can be had */
	struct piece ring[COPY_AHEAD_QUEUE];
	struct copy_opener opener; /* the caller's */
	size_t nhelpers;
	pthread_t helpers[HELPERS];
	pthread_mutex_t lock;
	pthread_cond_t more; /* pieces are made, or it is over */
	pthread_cond_t read; /* a piece is done */
	/* under the lock */
	uint64_t given;
	uint64_t claimed;
	uint64_t made;
	bool stop;
};

static struct piece *piece_at(struct copy_ahead *a, uint64_t i)
{
	return &a->ring[i % COPY_AHEAD_QUEUE];
}

struct copy_ahead *copy_ahead_new(const struct copy_selection *s, copy_ahead_fn *fn, void *ctx)
{
	struct copy_ahead *a = mem_alloc(sizeof *a);

	a->s = s;
	a->fn = fn;
	a->ctx = ctx;
	copy_opener_init(&a->opener, s);
	for (size_t i = 0; i < COPY_AHEAD_QUEUE; i++)
		buf_init(&a->ring[i].paths, COPY_AHEAD_PIECE * ((size_t)LAYER_PATH_MAX + 1));
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->more, NULL);
	pthread_cond_init(&a->read, NULL);
	return a;
}

/* Attributes are rare, and not for a thread to keep. */
static bool ahead_plain(int fd)
{
	struct copy_pool pool = {.head = NULL};
	struct copy_file probe = {.type = LAYER_FILE};
	bool none = copy_dirsource_xattrs(fd, &pool, &probe) == 0 && !probe.x;

	copy_pool_clear(&pool);
	return none;
}

/* False: it is left to the caller, errors included. */
static bool read_item(struct copy_opener *o, struct item *it, unsigned char *to, size_t room)
{
	struct stat *st = &it->got.st;

	it->got.clock = statcache_clock();
	auto_fd int fd = copy_opener_open(o, it->f, st);
	if (fd < 0 || (uint64_t)st->st_size >= room || (it->fresh && !ahead_plain(fd)))
		return false;
	/* One byte more than there should be: a file that grew is seen. */
	ssize_t n = st->st_size ? pread(fd, to, (size_t)st->st_size + 1, 0) : 0;
	it->got.data = to;
	return n == st->st_size;
}

static void read_piece(struct copy_opener *o, struct piece *p)
{
	size_t used = 0;

	if (!p->data)
		p->data = mem_grow(NULL, COPY_AHEAD_BYTES, 1);
	for (size_t i = 0; i < p->n; i++) {
		struct item *it = &p->items[i];
		if (!it->wanted)
			continue;
		it->read = read_item(o, it, p->data + used, COPY_AHEAD_BYTES - used);
		used += it->read ? (size_t)it->got.st.st_size : 0;
	}
}

/* Under the lock, which is not held while the piece is read. */
static void read_next(struct copy_ahead *a, struct copy_opener *o)
{
	struct piece *p = piece_at(a, a->claimed++);

	pthread_mutex_unlock(&a->lock);
	read_piece(o, p);
	pthread_mutex_lock(&a->lock);
	p->done = true;
}

static void *ahead_work(void *arg)
{
	struct copy_ahead *a = arg;
	struct copy_opener opener;

	copy_opener_init(&opener, a->s);
	pthread_mutex_lock(&a->lock);
	for (;;) {
		while (a->claimed == a->made && !a->stop)
			pthread_cond_wait(&a->more, &a->lock);
		if (a->stop)
			break;
		read_next(a, &opener);
		pthread_cond_signal(&a->read);
	}
	pthread_mutex_unlock(&a->lock);
	copy_opener_clear(&opener);
	return NULL;
}

static void ahead_start(struct copy_ahead *a)
{
	size_t want = cpus_usable();

	want = want > COPY_AHEAD_THREADS ? HELPERS : want - 1;
	a->nhelpers = thread_start_crew(a->helpers, want, ahead_work, a);
	a->alone = a->nhelpers == 0;
}

/* The oldest piece has been read, or nobody will do it but fn. */
static void ahead_await(struct copy_ahead *a)
{
	struct piece *p = piece_at(a, a->given);

	pthread_mutex_lock(&a->lock);
	if (a->claimed == a->given) {
		a->claimed++;
		p->done = true;
	}
	while (!p->done) {
		if (a->claimed < a->made)
			read_next(a, &a->opener);
		else
			pthread_cond_wait(&a->read, &a->lock);
	}
	pthread_mutex_unlock(&a->lock);
}

static int give_back(struct copy_ahead *a, struct err **err)
{
	struct piece *p = piece_at(a, a->given);

	ahead_await(a);
	for (size_t i = 0; i < p->n; i++) {
		struct item *it = &p->items[i];
		it->e.path = p->paths.data + it->path;
		if (a->fn(a->ctx, &it->e, it->f, it->source, it->read ? &it->got : NULL, err) < 0)
			return -1;
	}
	p->n = 0;
	buf_reset(&p->paths);
	p->done = false;
	a->given++;
	return 0;
}

static void ahead_hand_over(struct copy_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->made++;
	pthread_cond_signal(&a->more);
	pthread_mutex_unlock(&a->lock);
}

int copy_ahead_put(struct copy_ahead *a, struct layer_entry *e, struct copy_file *f,
	uint32_t source, struct err **err)
{
	bool file = f && e->type == LAYER_FILE && f->content == COPY_CONTENT_DIR;

	if (file && a->files++ == COPY_AHEAD_FROM)
		ahead_start(a);
	if (!a->nhelpers)
		return a->fn(a->ctx, e, f, source, NULL, err);
	struct piece *p = piece_at(a, a->made);
	struct item *it = &p->items[p->n++];
	*it = (struct item){.e = *e, .f = f, .source = source, .path = p->paths.len};
	buf_add(&p->paths, e->path, strlen(e->path) + 1);
	it->wanted = file && (!f->stated || f->size < COPY_AHEAD_BYTES);
	it->fresh = file && (!f->stated || f->state != COPY_KNOWN);
	if (p->n < COPY_AHEAD_PIECE)
		return 0;
	ahead_hand_over(a);
	return a->made - a->given == COPY_AHEAD_QUEUE ? give_back(a, err) : 0;
}

int copy_ahead_flush(struct copy_ahead *a, struct err **err)
{
	if (piece_at(a, a->made)->n && a->nhelpers)
		ahead_hand_over(a);
	while (a->given < a->made)
		if (give_back(a, err) < 0)
			return -1;
	return 0;
}

void copy_ahead_free(struct copy_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->more);
	pthread_mutex_unlock(&a->lock);
	while (a->nhelpers)
		pthread_join(a->helpers[--a->nhelpers], NULL);
	for (size_t i = 0; i < COPY_AHEAD_QUEUE; i++) {
		buf_clear(&a->ring[i].paths);
		free(a->ring[i].data);
	}
	copy_opener_clear(&a->opener);
	pthread_cond_destroy(&a->more);
	pthread_cond_destroy(&a->read);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
