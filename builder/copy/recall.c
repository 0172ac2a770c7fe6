// SPDX-License-Identifier: Apache-2.0
/*
 * A bounded queue of pieces of directories. Pieces are numbered as they come; of failures the one
 * with the lowest number counts, and within a piece the first file.
 */
#include "builder/copy/recall.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "builder/copy/pool.h"
#include "builder/copy/vfs.h"
#include "store/base/cleanup.h"
#include "store/base/cpus.h"
#include "store/base/mem.h"
#include "store/base/thread.h"

#define HELPERS (COPY_RECALL_THREADS - 1)

struct piece {
	uint64_t number;
	int fd;
	struct copy_file *dir;
	uint32_t from;
	uint32_t to;
	struct statcache_dir known; /* at `from`, or in front of it */
};

struct helper {
	struct copy_recall *r;
	struct copy_pool pool;
	pthread_t thread;
};

struct copy_recall {
	struct copy_pool *pool; /* the caller's */
	uint64_t files;         /* so far */
	uint64_t pieces;
	bool alone; /* no thread can be had */
	size_t nhelpers;
	struct helper helpers[HELPERS];
	pthread_mutex_t lock;
	pthread_cond_t more;
	/* under the lock */
	struct piece queue[COPY_RECALL_QUEUE];
	size_t head;
	size_t n;
	bool stop;
	const struct copy_file *failed;
	uint64_t failed_number;
	int failed_errno;
};

struct copy_recall *copy_recall_new(struct copy_pool *pool)
{
	struct copy_recall *r = mem_alloc(sizeof *r);

	r->pool = pool;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	return r;
}

/* The attributes of a file whose content is known. */
static int reread_xattrs(struct copy_pool *pool, int dir, struct copy_file *c)
{
	auto_fd int fd =
		openat(dir, c->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -1 : copy_dirsource_xattrs(fd, pool, c);
}

/* What the index knows of a regular file; -1 with errno when it is gone. */
static int ask_index(struct copy_pool *pool, int fd, uint64_t dev, struct statcache_dir *known,
	struct copy_file *c)
{
	struct statcache_entry now;
	struct stat st;

	if (!statcache_seek(known, c->name))
		return 0;
	if (fstatat(fd, c->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	statcache_of(&st, &now);
	if (!statcache_same(&known->e, &now) || now.dev != dev)
		return 0;
	copy_dirsource_stat(&st, c, false); /* an index has no owners */
	c->digest = known->e.digest;
	c->state = COPY_KNOWN;
	c->settled = true;
	return known->e.xattrs ? reread_xattrs(pool, fd, c) : 0;
}

static void recall_note(
	struct copy_recall *r, const struct piece *p, const struct copy_file *c, int e)
{
	pthread_mutex_lock(&r->lock);
	if (!r->failed || p->number < r->failed_number) {
		r->failed = c;
		r->failed_number = p->number;
		r->failed_errno = e;
	}
	pthread_mutex_unlock(&r->lock);
}

static void recall_run(struct copy_recall *r, struct copy_pool *pool, struct piece *p)
{
	for (uint32_t i = p->from; i < p->to; i++) {
		struct copy_file *c = &p->dir->child[i];
		if (c->type != LAYER_FILE || c->content != COPY_CONTENT_DIR)
			continue;
		if (ask_index(pool, p->fd, p->dir->x->dev, &p->known, c) == 0)
			continue;
		recall_note(r, p, c, errno);
		return;
	}
}

/* Under the lock. The oldest piece is run, without the lock. */
static void run_next(struct copy_recall *r, struct copy_pool *pool)
{
	struct piece p = r->queue[r->head];

	r->head = (r->head + 1) % COPY_RECALL_QUEUE;
	r->n--;
	pthread_mutex_unlock(&r->lock);
	recall_run(r, pool, &p);
	cleanup_fd(&p.fd);
	pthread_mutex_lock(&r->lock);
}

static void *recall_work(void *arg)
{
	struct helper *h = arg;
	struct copy_recall *r = h->r;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (!r->n && !r->stop)
			pthread_cond_wait(&r->more, &r->lock);
		if (!r->n)
			break;
		run_next(r, &h->pool);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void recall_start(struct copy_recall *r)
{
	size_t want = cpus_usable();

	want = want > COPY_RECALL_THREADS ? HELPERS : want - 1;
	while (r->nhelpers < want) {
		struct helper *h = &r->helpers[r->nhelpers];
		h->r = r;
		if (thread_start(&h->thread, recall_work, h) != 0)
			break;
		r->nhelpers++;
	}
	r->alone = r->nhelpers == 0;
}

/* False: there is no room, or no descriptor. */
static bool recall_hand_over(struct copy_recall *r, const struct piece *p)
{
	bool room;

	pthread_mutex_lock(&r->lock);
	room = r->n < COPY_RECALL_QUEUE; /* nobody else adds */
	pthread_mutex_unlock(&r->lock);
	int fd = room ? fcntl(p->fd, F_DUPFD_CLOEXEC, 3) : -1;
	if (fd < 0)
		return false;
	pthread_mutex_lock(&r->lock);
	struct piece *to = &r->queue[(r->head + r->n) % COPY_RECALL_QUEUE];
	*to = *p;
	to->fd = fd;
	r->n++;
	pthread_cond_signal(&r->more);
	pthread_mutex_unlock(&r->lock);
	return true;
}

void copy_recall_dir(
	struct copy_recall *r, int fd, struct copy_file *dir, const struct statcache_dir *known)
{
	struct piece p = {.fd = fd, .dir = dir, .known = *known};

	if (!r->nhelpers && !r->alone && r->files >= COPY_RECALL_ALONE)
		recall_start(r);
	r->files += dir->nchild;
	for (; p.from < dir->nchild; p.from = p.to) {
		bool last = dir->nchild - p.from <= COPY_RECALL_PIECE;
		p.to = last ? dir->nchild : p.from + COPY_RECALL_PIECE;
		p.number = r->pieces++;
		struct piece mine = p;
		if (!r->nhelpers || !recall_hand_over(r, &p))
			recall_run(r, r->pool, &mine);
		if (!last) /* those behind it begin where it ends */
			statcache_seek(&p.known, dir->child[p.to].name);
	}
}

const struct copy_file *copy_recall_finish(struct copy_recall *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->n)
		run_next(r, r->pool);
	r->stop = true;
	pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < r->nhelpers; i++) {
		pthread_join(r->helpers[i].thread, NULL);
		copy_pool_take(r->pool, &r->helpers[i].pool);
	}
	const struct copy_file *failed = r->failed;
	int e = r->failed_errno;
	pthread_cond_destroy(&r->more);
	pthread_mutex_destroy(&r->lock);
	free(r);
	errno = e;
	return failed;
}
