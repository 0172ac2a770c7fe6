// SPDX-License-Identifier: Apache-2.0
// What a selection holds, as one sha256. Contents are read by a few threads, which also fill in the
// metadata of the files of a directory root (one open, fstat and read for each).
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "builder/copy/selection.h"
#include "store/base/cleanup.h"
#include "store/base/cpus.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define THREADS_MAX 8
#define BATCH       16 /* files that a thread takes at once */
#define READ_SIZE   ((size_t)256 << 10)
#define FORMAT      "bld copy 1" /* changes with the order or meaning of the fields below */

struct crew {
	struct copy_selection *s;
	struct copy_file **v;
	size_t n;
	atomic_size_t next;
	atomic_bool failed;
	struct err *err; /* of the first failure, under s->lock */
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

static int hash_fd(struct sha256 *h, int fd, uint64_t off, uint64_t n)
{
	auto_free unsigned char *p = n ? mem_array(1, n < READ_SIZE ? (size_t)n : READ_SIZE) : NULL;

	while (n) {
		size_t now = n < READ_SIZE ? (size_t)n : READ_SIZE;
		if (fs_pread_all(fd, p, now, off) < 0)
			return -1;
		sha256_update(h, p, now);
		off += now;
		n -= now;
	}
	return 0;
}

static int hash_extents(struct sha256 *h, const struct layer_entry *e)
{
	uint64_t at = 0;

	for (size_t i = 0; i < e->nextents; i++) {
		const struct layer_extent *x = &e->extents[i];
		hash_zeros(h, x->off - at);
		if (hash_fd(h, e->fd, x->data, x->len) < 0)
			return -1;
		at = x->off + x->len;
	}
	hash_zeros(h, e->size - at);
	return 0;
}

int copy_digest_content(const struct layer_entry *e, struct digest *out)
{
	struct sha256 h;
	int rc = 0;

	sha256_init(&h);
	if (e->source == LAYER_DATA_MEM)
		sha256_update(&h, e->mem, (size_t)e->size);
	else if (e->source == LAYER_DATA_FD && e->extents)
		rc = hash_extents(&h, e);
	else if (e->source == LAYER_DATA_FD)
		rc = hash_fd(&h, e->fd, e->data_off, e->size);
	sha256_final(&h, out);
	return rc;
}

static int read_xattrs(struct copy_selection *s, int fd, struct copy_file *f)
{
	if (flistxattr(fd, NULL, 0) == 0)
		return 0;
	pthread_mutex_lock(&s->lock);
	int rc = copy_dirsource_xattrs(fd, &s->pool, f);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

// A regular file of a directory root: metadata and content through one descriptor.
static int read_file(struct copy_selection *s, struct copy_file *f)
{
	struct stat st;
	auto_fd int fd = copy_file_open(s, f, &st);

	if (fd < 0)
		return -1;
	copy_dirsource_stat(&st, f);
	if (read_xattrs(s, fd, f) < 0)
		return -1;
	struct layer_entry e = {.source = LAYER_DATA_FD, .fd = fd, .size = f->size};
	if (copy_digest_content(&e, &f->digest) == 0)
		return 0;
	if (errno == EIO) { // shorter than a moment ago, or a bad disk
		struct stat now;
		if (fstat(fd, &now) == 0 && now.st_size < st.st_size)
			errno = 0;
	}
	return -1;
}

static int hash_file(struct copy_selection *s, struct copy_file *f)
{
	struct layer_entry e;
	char *src = NULL;

	if (f->content == COPY_CONTENT_DIR)
		return read_file(s, f);
	pthread_mutex_lock(&s->lock); // a tree answers one question at a time
	copy_file_entry(s, f, NULL, &e, &src);
	pthread_mutex_unlock(&s->lock);
	return copy_digest_content(&e, &f->digest);
}

static void fail(struct crew *c, const struct copy_file *f)
{
	int saved = errno;
	auto_free char *shown = copy_file_show(f);

	pthread_mutex_lock(&c->s->lock);
	errno = saved;
	if (c->err)
		; // the first one is told
	else if (saved == 0 || saved == ENOENT || saved == ELOOP || saved == ENOTDIR)
		err_set(&c->err, ERR_CONTEXT, "%s: changed while it was read", shown);
	else
		err_sys_kind(&c->err, ERR_CONTEXT, "cannot read %s", shown);
	pthread_mutex_unlock(&c->s->lock);
	atomic_store(&c->failed, true);
}

static void *work(void *arg)
{
	struct crew *c = arg;
	size_t at;

	while ((at = atomic_fetch_add(&c->next, BATCH)) < c->n)
		for (size_t i = at; i < c->n && i < at + BATCH; i++) {
			if (atomic_load(&c->failed) || (c->s->cancelled && *c->s->cancelled))
				return NULL;
			if (hash_file(c->s, c->v[i]) < 0)
				fail(c, c->v[i]);
		}
	return NULL;
}

static size_t crew_size(size_t files)
{
	size_t want = (files + BATCH - 1) / BATCH, cpus = want > 1 ? cpus_usable() : 1;

	want = want > cpus ? cpus : want;
	return want > THREADS_MAX ? THREADS_MAX : want;
}

static int run_crew(struct crew *c, struct err **err)
{
	pthread_t threads[THREADS_MAX];
	size_t n = 0, want = crew_size(c->n);
	sigset_t all, old;

	sigfillset(&all); // signals are for the thread that waits for us
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (n + 1 < want && pthread_create(&threads[n], NULL, work, c) == 0)
		n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	work(c);
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

typedef void (*visit_fn)(void *ctx, struct copy_file *f);

static void each_file(struct copy_file *f, visit_fn visit, void *ctx)
{
	visit(ctx, f);
	for (size_t i = 0; i < f->nchild; i++)
		each_file(&f->child[i], visit, ctx);
}

static void collect_content(void *ctx, struct copy_file *f)
{
	struct crew *c = ctx;

	if (f->content != COPY_CONTENT_NONE)
		c->v[c->n++] = f;
}

static void collect_names(void *ctx, struct copy_file *f)
{
	struct crew *c = ctx;

	if (f->type == LAYER_FILE && f->ino)
		c->v[c->n++] = f;
}

// Names of one file side by side.
static int inode_cmp(const void *a, const void *b)
{
	const struct copy_file *x = *(struct copy_file *const *)a;
	const struct copy_file *y = *(struct copy_file *const *)b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

static void find_links(struct copy_selection *s, struct crew *c, struct copy_source *src)
{
	c->n = 0;
	each_file(src->file, collect_names, c);
	if (c->n < 2)
		return;
	qsort(c->v, c->n, sizeof *c->v, inode_cmp);
	for (size_t i = 0, end; i < c->n; i = end) {
		for (end = i + 1; end < c->n && inode_cmp(&c->v[i], &c->v[end]) == 0; end++)
			;
		if (end - i < 2)
			continue;
		struct copy_links *l = copy_pool_alloc(&s->pool, sizeof *l);
		for (size_t k = i; k < end; k++)
			c->v[k]->links = l;
	}
}

struct total {
	struct sha256 h;
	uint64_t ordinal;
};

static void hash_record(struct total *t, const struct copy_file *f)
{
	struct sha256 *h = &t->h;

	t->ordinal++;
	if (f->links && !f->links->ordinal)
		f->links->ordinal = t->ordinal;
	sha256_field_str(h, f->name);
	sha256_field_u64(h, f->type);
	sha256_field_u64(h, f->mode);
	sha256_field_u64(h, f->uid);
	sha256_field_u64(h, f->gid);
	sha256_field_u64(h, f->size);
	sha256_field_u64(h, f->dev_major);
	sha256_field_u64(h, f->dev_minor);
	sha256_field_str(h, f->link);
	sha256_field_u64(h, f->links ? f->links->ordinal : 0);
	sha256_field_u64(h, f->nxattrs);
	for (size_t i = 0; i < f->nxattrs; i++) {
		sha256_field_str(h, f->xattrs[i].name);
		sha256_field(h, f->xattrs[i].value, f->xattrs[i].len);
	}
	if (f->content != COPY_CONTENT_NONE)
		sha256_field(h, f->digest.b, sizeof f->digest.b);
	sha256_field_u64(h, f->nchild);
	for (size_t i = 0; i < f->nchild; i++)
		hash_record(t, &f->child[i]);
}

static void hash_all(struct copy_selection *s, struct digest *out)
{
	struct total t = {.ordinal = 0};

	sha256_init(&t.h);
	sha256_field_str(&t.h, FORMAT);
	sha256_field_u64(&t.h, s->n);
	for (size_t i = 0; i < s->n; i++) {
		t.ordinal = 0;
		sha256_field_u64(&t.h, s->v[i].archive);
		sha256_field_u64(&t.h, s->v[i].last);
		hash_record(&t, s->v[i].file);
	}
	sha256_final(&t.h, out);
}

int copy_digest(struct copy_selection *s, struct digest *out, struct err **err)
{
	struct crew c = {.s = s};

	if (!s->digested) {
		auto_free struct copy_file **v = mem_array(s->nfiles + 1, sizeof *v);
		c.v = v;
		for (size_t i = 0; i < s->n; i++)
			each_file(s->v[i].file, collect_content, &c);
		if (run_crew(&c, err) < 0)
			return -1;
		for (size_t i = 0; i < s->n; i++)
			find_links(s, &c, &s->v[i]);
		hash_all(s, &s->digest);
		s->digested = true;
	}
	if (out)
		*out = s->digest;
	return 0;
}
