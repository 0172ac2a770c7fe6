// SPDX-License-Identifier: Apache-2.0
/*
 * What COPY steps of one context know in common: directories that were walked, for a while, and the
 * digests of files from earlier builds (statcache.h). One step has it at a time. The index is
 * written when enough was hashed anew, from the walked directories, the files that were named one
 * by one, and what the old index had of the rest.
 */
#include "builder/copy/share.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/deadline.h"
#include "store/base/path.h"
#include "builder/copy/selection.h"
#include "store/base/mem.h"
#include "store/base/now.h"

#define SHARE_POLL_MS 50 /* how late a cancellation may be noticed */

struct copy_share *copy_share_new(struct store *s, int dir_fd)
{
	struct copy_share *c = mem_alloc(sizeof *c);
	struct stat st;

	c->fd = dir_fd;
	pthread_mutex_init(&c->lock, NULL);
	deadline_cond_init(&c->free);
	if (s && dir_fd >= 0 && fstat(dir_fd, &st) == 0) {
		struct sha256 h;
		sha256_init(&h);
		sha256_field_str(&h, "context directory");
		sha256_field_u64(&h, (uint64_t)st.st_dev);
		sha256_field_u64(&h, (uint64_t)st.st_ino);
		sha256_final(&h, &c->id);
		c->store = s;
	}
	return c;
}

static int share_path_cmp(const void *a, const void *b)
{
	const struct copy_file *x = a, *y = b;

	return strcmp(x->x->path, y->x->path);
}

static void share_keep(void *key)
{
	(void)key;
}

struct copy_file *copy_share_find(const struct copy_share *c, const char *path)
{
	struct copy_extra x = {.path = path};
	struct copy_file key = {.x = &x}, *const *found = tfind(&key, &c->dirs, share_path_cmp);

	return found ? *found : NULL;
}

static void add_dir(void *ctx, struct copy_file *f)
{
	struct copy_share *c = ctx;

	if (f->type == LAYER_DIR && !tsearch(f, &c->dirs, share_path_cmp))
		mem_exhausted();
}

void copy_share_add(struct copy_share *c, struct copy_file *dir)
{
	if (!c->born)
		c->born = now_monotonic_ms();
	c->nfiles += (size_t)dir->x->count;
	copy_file_each(dir, add_dir, c);
}

bool copy_share_usable(struct copy_share *c, uint64_t dev, int fd)
{
	if (!c->dev_known || c->dev != dev) {
		c->dev_usable = statcache_usable(fd);
		c->dev = dev;
		c->dev_known = true;
	}
	return c->dev_usable;
}

const struct statcache *copy_share_index(struct copy_share *c)
{
	if (!c->opened && c->store)
		c->index = statcache_open(c->store, &c->id);
	c->opened = true;
	return c->index;
}

void copy_share_hashed(struct copy_share *c, size_t files, uint64_t bytes)
{
	c->new_files += files;
	c->new_bytes += bytes;
}

/* f as a record of the index. */
static void copy_share_entry(const struct copy_file *f, uint64_t dev, struct statcache_entry *e)
{
	struct stat st = {.st_size = (off_t)f->size,
		.st_mtim = {.tv_sec = f->mtime, .tv_nsec = f->mtime_ns},
		.st_ctim = {.tv_sec = f->ctime, .tv_nsec = f->ctime_ns},
		.st_ino = (ino_t)f->ino,
		.st_dev = (dev_t)dev,
		.st_mode = (mode_t)f->mode | S_IFREG};

	statcache_of(&st, e);
	e->xattrs = f->x && f->x->nxattrs;
	e->digest = f->digest;
}

/* A file that was looked at by name need not be opened: its content is this, its attributes are
 * known. */
static void know(struct copy_file *f, const struct digest *content)
{
	f->digest = *content;
	f->state = COPY_KNOWN;
	f->settled = true;
	f->stated = true;
	if (!f->size)
		f->content = COPY_CONTENT_NONE;
}

static void recall(struct copy_file *f, const struct copy_file *from)
{
	if (from->state != COPY_KNOWN || !from->settled)
		return;
	know(f, &from->digest);
	f->x->xattrs = from->x ? from->x->xattrs : NULL;
	f->x->nxattrs = from->x ? from->x->nxattrs : 0;
}

/* The same file in a directory that was walked. */
static const struct copy_file *walked(const struct copy_share *c, const char *dir, const char *name)
{
	const struct copy_file *d = copy_share_find(c, dir);
	size_t lo = 0, hi = d ? d->nchild : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = strcmp(d->child[mid].name, name);
		if (cmp == 0)
			return &d->child[mid];
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

void copy_share_name(struct copy_share *c, struct copy_file *f)
{
	const char *base = path_base(f->x->path);
	auto_free char *dir = mem_strndup(f->x->path, (size_t)(base - f->x->path));
	struct statcache_entry now, then;
	struct statcache_dir d;

	if (base > f->x->path)
		dir[base - f->x->path - 1] = '\0';
	copy_share_entry(f, f->x->dev, &now);
	const struct copy_file *seen = walked(c, dir, base);
	if (seen && seen->stated) {
		copy_share_entry(seen, f->x->dev, &then);
		if (statcache_same(&now, &then))
			recall(f, seen);
	}
	if (f->state != COPY_KNOWN && f->x->indexed && copy_share_index(c) &&
		statcache_find_dir(c->index, dir, &d) && statcache_seek(&d, base) &&
		statcache_same(&d.e, &now) && !d.e.xattrs)
		know(f, &d.e.digest);
	if (f->x->indexed)
		MEM_PUSH(c->named, c->nnamed, c->cap_named) = f;
}

/* --- writing the index ------------------------------------------------------------------------ */

struct flush {
	struct copy_share *c;
	struct statcache_writer *w;
};

static void share_put_file(
	struct flush *fl, const struct copy_file *f, const char *name, uint64_t dev)
{
	struct statcache_entry e;

	if (!f->settled || copy_file_unread(f)) /* only what was opened can be settled */
		return;
	copy_share_entry(f, dev, &e);
	statcache_writer_add(fl->w, name, &e);
}

static void share_put_dir(const void *node, VISIT which, void *ctx)
{
	const struct copy_file *dir = *(struct copy_file *const *)node;
	struct flush *fl = ctx;

	if ((which != postorder && which != leaf) || !dir->x->indexed)
		return;
	statcache_writer_dir(fl->w, dir->x->path);
	for (size_t i = 0; i < dir->nchild; i++)
		share_put_file(fl, &dir->child[i], dir->child[i].name, dir->x->dev);
}

/* Was the directory walked, or one above it? Then what the index had of it is out of date. */
static bool covered(const struct copy_share *c, const char *path)
{
	auto_free char *at = mem_strdup(path);

	for (;;) {
		if (copy_share_find(c, at))
			return true;
		if (!*at)
			return false;
		char *slash = strrchr(at, '/');
		*(slash ? slash : at) = '\0';
	}
}

struct name {
	const char *dir; /* owned */
	const char *base;
	const struct copy_file *f;
};

static int share_name_cmp(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int c = strcmp(x->dir, y->dir);

	return c ? c : strcmp(x->base, y->base);
}

/* Files that were named, over what the old index has of their directory. */
static void put_named(struct flush *fl, const struct name *v, size_t n)
{
	struct statcache_dir old = {.name = NULL};
	const char *last = NULL;

	if (fl->c->index)
		statcache_find_dir(fl->c->index, v->dir, &old);
	statcache_writer_dir(fl->w, v->dir);
	for (size_t i = 0; i < n; i++) {
		if (last && strcmp(last, v[i].base) == 0)
			continue;
		last = v[i].base;
		for (; old.name && strcmp(old.name, last) < 0; statcache_next(&old))
			statcache_writer_add(fl->w, old.name, &old.e);
		if (old.name && strcmp(old.name, last) == 0)
			statcache_next(&old);
		share_put_file(fl, v[i].f, last, v[i].f->x->dev);
	}
	for (; old.name; statcache_next(&old))
		statcache_writer_add(fl->w, old.name, &old.e);
}

static int dir_cmp(const void *key, const void *v)
{
	return strcmp(key, ((const struct name *)v)->dir);
}

static void put_old(struct flush *fl, const struct name *v, size_t n)
{
	struct statcache_dir d;

	for (size_t i = 0; fl->c->index && i < statcache_ndirs(fl->c->index); i++) {
		statcache_dir_at(fl->c->index, i, &d);
		if (covered(fl->c, d.path) || bsearch(d.path, v, n, sizeof *v, dir_cmp))
			continue;
		statcache_writer_dir(fl->w, d.path);
		for (; d.name; statcache_next(&d))
			statcache_writer_add(fl->w, d.name, &d.e);
	}
}

static size_t collect_named(struct copy_share *c, struct name *v)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nnamed; i++) {
		const char *path = c->named[i]->x->path, *base = path_base(path);
		char *dir = copy_pool_strdup(&c->pool, path);
		dir[base > path ? base - path - 1 : 0] = '\0';
		if (!covered(c, dir))
			v[n++] = (struct name){dir, base, c->named[i]};
	}
	qsort(v, n, sizeof *v, share_name_cmp);
	return n;
}

/* Best effort: without an index the next build reads the files again. */
static void share_write_index(struct copy_share *c)
{
	auto_statcache_writer struct statcache_writer *w =
		statcache_writer_new(c->store, &c->id, NULL);
	auto_free struct name *v = mem_array(c->nnamed + 1, sizeof *v);
	struct flush fl = {c, w};

	if (!w)
		return;
	copy_share_index(c);
	twalk_r(c->dirs, share_put_dir, &fl);
	size_t n = collect_named(c, v);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && strcmp(v[i].dir, v[end].dir) == 0; end++)
			;
		put_named(&fl, v + i, end - i);
	}
	put_old(&fl, v, n);
	statcache_writer_commit(w, NULL);
}

static void share_forget(struct copy_share *c)
{
	if (c->store && (c->new_files >= SHARE_INDEX_FILES || c->new_bytes >= SHARE_INDEX_BYTES)) {
		share_write_index(c);
		statcache_close(c->index);
		c->index = NULL;
		c->opened = false;
		c->new_files = 0;
		c->new_bytes = 0;
	}
	tdestroy(c->dirs, share_keep);
	c->dirs = NULL;
	c->nnamed = 0;
	c->nfiles = 0;
	c->born = 0;
	copy_pool_clear(&c->pool);
}

/* Nobody tells us of a signal: the one that has the share may work on for long. */
static void wait_free(struct copy_share *c)
{
	deadline_cond_wait(&c->free, &c->lock, deadline_in(SHARE_POLL_MS));
}

bool copy_share_take(struct copy_share *c, const atomic_int *cancelled)
{
	pthread_mutex_lock(&c->lock);
	while (c->taken && !copy_cancelled(cancelled))
		wait_free(c);
	bool mine = !c->taken;
	c->taken = true;
	pthread_mutex_unlock(&c->lock);
	if (mine && c->born && now_monotonic_ms() - c->born > COPY_SHARE_MS)
		share_forget(c);
	return mine;
}

void copy_share_release(struct copy_share *c)
{
	if (c->nfiles > COPY_SHARE_FILES)
		share_forget(c);
	pthread_mutex_lock(&c->lock);
	c->taken = false;
	pthread_cond_signal(&c->free);
	pthread_mutex_unlock(&c->lock);
}

void copy_share_free(struct copy_share *c)
{
	if (!c)
		return;
	share_forget(c);
	statcache_close(c->index);
	pthread_cond_destroy(&c->free);
	pthread_mutex_destroy(&c->lock);
	free(c->named);
	free(c);
}
