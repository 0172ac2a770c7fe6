// SPDX-License-Identifier: Apache-2.0
/*
 * What a selection holds, as one sha256. Contents are read by a few threads, which also fill in the
 * metadata of the files of a directory root (one open, fstat and read for each).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/copy/selection.h"
#include "builder/copy/share.h"
#include "store/base/cleanup.h"
#include "store/base/cpus.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/thread.h"

#define THREADS_MAX 8
#define BATCH       16 /* files that a thread takes at once */
#define ALONE       64 /* so many files are not worth a thread, unless ... */
#define ALONE_BYTES ((uint64_t)1 << 20)
#define READ_SIZE   ((size_t)1 << 20)

struct crew {
	struct copy_selection *s;
	struct copy_file **v;
	size_t n;
	atomic_size_t next;
	atomic_bool failed;
	struct err *err; /* of the first failure, under s->lock */
};

/* One thread of it. */
struct worker {
	struct copy_opener opener;
	unsigned char *buf; /* owned; READ_SIZE bytes, or NULL */
};

static void hash_zeros(struct sha256 *h, uint64_t n)
{
	static const unsigned char zeros[4096];

	while (n) {
		size_t now = n < sizeof zeros ? (size_t)n : sizeof zeros;
		sha256_update(h, zeros, now);
		n -= now;
	}
}

static int hash_fd(struct sha256 *h, int fd, uint64_t off, uint64_t n, unsigned char *buf)
{
	while (n) {
		size_t now = n < READ_SIZE ? (size_t)n : READ_SIZE;
		if (fs_pread_all(fd, buf, now, off) < 0)
			return -1;
		sha256_update(h, buf, now);
		off += now;
		n -= now;
	}
	return 0;
}

static int hash_extents(struct sha256 *h, const struct layer_entry *e, unsigned char *buf)
{
	uint64_t at = 0;

	for (size_t i = 0; i < e->nextents; i++) {
		const struct layer_extent *x = &e->extents[i];
		hash_zeros(h, x->off - at);
		if (hash_fd(h, e->fd, x->data, x->len, buf) < 0)
			return -1;
		at = x->off + x->len;
	}
	hash_zeros(h, e->size - at);
	return 0;
}

static int hash_data(const struct layer_entry *e, struct digest *out, unsigned char *buf)
{
	struct sha256 h;
	int rc = 0;

	sha256_init(&h);
	if (e->source == LAYER_DATA_MEM)
		sha256_update(&h, e->mem, (size_t)e->size);
	else if (e->source == LAYER_DATA_FD && e->extents)
		rc = hash_extents(&h, e, buf);
	else if (e->source == LAYER_DATA_FD)
		rc = hash_fd(&h, e->fd, e->data_off, e->size, buf);
	sha256_final(&h, out);
	return rc;
}

int copy_digest_content(const struct layer_entry *e, struct digest *out)
{
	auto_free unsigned char *buf = mem_grow(NULL, READ_SIZE, 1);

	return hash_data(e, out, buf);
}

/* A regular file of a directory root: metadata and content through one descriptor. */
static int digest_read_file(struct copy_selection *s, struct worker *w, struct copy_file *f)
{
	struct stat now;
	auto_fd int fd = copy_opener_read(&w->opener, s, f, &now);

	if (fd < 0)
		return -1;
	struct layer_entry e = {.source = LAYER_DATA_FD, .fd = fd, .size = f->size};
	if (!f->size || hash_data(&e, &f->digest, w->buf) == 0)
		return 0;
	if (errno == EIO) { /* shorter than a moment ago, or a bad disk */
		if (fstat(fd, &now) == 0 && (uint64_t)now.st_size < f->size)
			errno = 0;
	}
	return -1;
}

static int digest_hash_file(struct copy_selection *s, struct worker *w, struct copy_file *f)
{
	struct layer_entry e;

	if (!w->buf)
		w->buf = mem_grow(NULL, READ_SIZE, 1);
	if (f->content == COPY_CONTENT_DIR) {
		if (digest_read_file(s, w, f) < 0)
			return -1;
	} else {
		copy_file_entry(f, NULL, &e);
		copy_file_data(f, &e);
		if (hash_data(&e, &f->digest, w->buf) < 0)
			return -1;
	}
	f->state = COPY_KNOWN;
	return 0;
}

static void digest_fail(struct crew *c, const struct copy_file *f)
{
	int saved = errno;

	pthread_mutex_lock(&c->s->lock);
	errno = saved;
	if (!c->err) /* the first one is told */
		copy_file_fail(f, &c->err);
	pthread_mutex_unlock(&c->s->lock);
	atomic_store(&c->failed, true);
}

static bool digest_over(struct crew *c)
{
	return atomic_load(&c->failed) || copy_cancelled(c->s->cancelled);
}

static void *digest_work(void *arg)
{
	struct crew *c = arg;
	struct worker w = {.buf = NULL};
	size_t at;

	copy_opener_init(&w.opener, c->s);
	while (!digest_over(c) && (at = atomic_fetch_add(&c->next, BATCH)) < c->n)
		for (size_t i = at; i < c->n && i < at + BATCH && !digest_over(c); i++)
			if (digest_hash_file(c->s, &w, c->v[i]) < 0)
				digest_fail(c, c->v[i]);
	copy_opener_clear(&w.opener);
	free(w.buf);
	return NULL;
}

/* Sizes are not known of all of them: where there is one that is, it counts. */
static bool tiny(const struct crew *c)
{
	uint64_t bytes = 0;

	if (c->n > ALONE)
		return false;
	for (size_t i = 0; i < c->n; i++)
		bytes += c->v[i]->size;
	return bytes < ALONE_BYTES;
}

static size_t crew_size(const struct crew *c)
{
	size_t want = (c->n + BATCH - 1) / BATCH;

	if (want < 2 || tiny(c))
		return 1;
	size_t cpus = cpus_usable();
	want = want > cpus ? cpus : want;
	return want > THREADS_MAX ? THREADS_MAX : want;
}

static int run_crew(struct crew *c, struct err **err)
{
	pthread_t threads[THREADS_MAX];
	size_t n = thread_start_crew(threads, crew_size(c) - 1, digest_work, c);

	digest_work(c);
	while (n)
		pthread_join(threads[--n], NULL);
	if (copy_selection_cancelled(c->s, err)) {
		err_free(c->err);
		return -1;
	}
	if (!c->err)
		return 0;
	if (err)
		*err = c->err;
	else
		err_free(c->err);
	return -1;
}

static void digest_collect(void *ctx, struct copy_file *f)
{
	struct crew *c = ctx;

	if (copy_file_unread(f)) {
		if (c->v)
			c->v[c->n] = f;
		c->n++;
	}
}

static void digest_each(struct copy_selection *s, struct crew *c)
{
	c->n = 0;
	for (size_t i = 0; i < s->n; i++)
		copy_file_each(s->v[i].file, digest_collect, c);
}

bool copy_unread(const struct copy_selection *s)
{
	struct crew c = {.n = 0};

	for (size_t i = 0; !s->digested && i < s->n; i++)
		copy_file_each(s->v[i].file, digest_collect, &c);
	return c.n > 0;
}

/* Read and hash all contents that are not known. */
static int copy_digest_read(struct copy_selection *s, struct err **err)
{
	struct crew c = {.s = s};
	uint64_t bytes = 0;

	digest_each(s, &c);
	if (!c.n)
		return copy_selection_cancelled(s, err) ? -1 : 0;
	auto_free struct copy_file **v = mem_array(c.n, sizeof *v);
	c.v = v;
	digest_each(s, &c);
	if (run_crew(&c, err) < 0)
		return -1;
	for (size_t i = 0; i < c.n; i++)
		bytes += c.v[i]->size;
	copy_share_hashed(s->share, c.n, bytes);
	return 0;
}

int copy_digest(struct copy_selection *s, struct digest *out, struct err **err)
{
	if (!s->digested) {
		if (copy_digest_read(s, err) < 0)
			return -1;
		copy_record_hash(s, &s->digest);
		s->digested = true;
	}
	if (out)
		*out = s->digest;
	return 0;
}
