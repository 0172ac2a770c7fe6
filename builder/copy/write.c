// SPDX-License-Identifier: Apache-2.0
/*
 * Placed files -> the tar of a layer. Each file is opened once: what is not known of it yet,
 * metadata and digest, is taken on the way, and what is known is checked.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/copy/ahead.h"
#include "builder/copy/place.h"
#include "builder/copy/pool.h"
#include "builder/copy/selection.h"
#include "builder/copy/share.h"
#include "builder/copy/target.h"
#include "store/base/mem.h"

/* A name of a file with several within one source. */
struct link {
	uint32_t source;
	uint64_t dev;
	uint64_t ino;
	const char *path; /* that carries the content */
	const struct copy_file *f;
};

struct again { /* a further name, whose digest is that of the first */
	struct copy_file *f;
	const struct copy_file *first;
};

struct write {
	struct copy_placed *p;
	struct layer_writer *w;
	struct copy_opener opener;
	struct copy_ahead *ahead; /* owned */
	struct link *links;       /* owned; a table of open addressing */
	size_t nlinks;
	size_t cap_links; /* a power of two, or 0 */
	struct again *again;
	size_t nagain;
	size_t cap_again;
	struct copy_file **learned; /* owned: their digests come with the end of the tar */
	size_t nlearned;
	size_t cap_learned;
};

static size_t copy_write_slot_of(const struct write *w, const struct link *l)
{
	uint64_t h =
		(l->ino ^ l->dev << 40 ^ (uint64_t)l->source << 20) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 20) & (w->cap_links - 1);

	while (w->links[i].path && (w->links[i].ino != l->ino || w->links[i].dev != l->dev ||
					   w->links[i].source != l->source))
		i = (i + 1) & (w->cap_links - 1);
	return i;
}

static void grow_links(struct write *w)
{
	struct write old = *w;

	w->cap_links = old.cap_links ? old.cap_links * 2 : 64;
	w->links = mem_array(w->cap_links, sizeof *w->links);
	for (size_t i = 0; i < old.cap_links; i++)
		if (old.links[i].path)
			w->links[copy_write_slot_of(w, &old.links[i])] = old.links[i];
	free(old.links);
}

/* The name of the same file that was written before, or NULL, and this one is it from now on. */
static const struct link *same_file(
	struct write *w, const struct copy_file *f, uint32_t source, const char *path)
{
	struct link l = {.source = source,
		.dev = f->node     ? 0
		       : f->parent ? f->parent->x->dev
				   : f->x->dev,
		.ino = f->ino,
		.f = f};

	if (!source || !f->linked)
		return NULL;
	if (w->nlinks * 2 >= w->cap_links)
		grow_links(w);
	struct link *at = &w->links[copy_write_slot_of(w, &l)];
	if (at->path)
		return at;
	l.path = copy_pool_strdup(&w->p->target.pool, path);
	*at = l;
	w->nlinks++;
	return NULL;
}

static void copy_write_make_link(
	struct write *w, const struct link *first, struct copy_file *f, struct layer_entry *e)
{
	*e = (struct layer_entry){.path = e->path,
		.type = LAYER_HARDLINK,
		.link = first->path,
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.mtime = e->mtime,
		.fd = -1};
	if (!copy_file_unread(f))
		return;
	MEM_PUSH(w->again, w->nagain, w->cap_again) = (struct again){f, first->f};
}

static void apply_dest(const struct copy_dest *d, const struct copy_file *f, struct layer_entry *e)
{
	if (e->type != LAYER_SYMLINK)
		e->mode = copy_place_mode(d, e->mode, e->type == LAYER_DIR);
	if (d->has_owner) {
		e->uid = d->uid;
		e->gid = d->gid;
	}
	if (f->no_mtime) {
		e->mtime = d->now;
		e->mtime_ns = 0;
	}
}

static int copy_write_changed(const struct copy_file *f, struct err **err)
{
	errno = 0;
	return copy_file_fail(f, err);
}

/* The digest is what it was, or comes now. */
static void expect(struct write *w, struct copy_file *f, struct layer_entry *e)
{
	if (f->state == COPY_KNOWN) {
		e->expect = &f->digest;
		return;
	}
	e->learn = &f->digest;
	f->state = COPY_WRITING;
	MEM_PUSH(w->learned, w->nlearned, w->cap_learned) = f;
}

static bool touched(const struct stat *a, const struct stat *b)
{
	return a->st_size != b->st_size || a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	       a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

static int add_content(
	struct write *w, struct copy_file *f, struct layer_entry *e, struct err **err)
{
	expect(w, f, e);
	if (layer_writer_add(w->w, e, err) == 0)
		return 0;
	if (!err || !*err || err_get_kind(*err) != ERR_CONTEXT)
		return -1;
	err_free(*err); /* shorter now */
	*err = NULL;
	return copy_write_changed(f, err);
}

/* Read through its descriptor as it goes by. */
static int put_open(struct write *w, struct copy_file *f, int fd, const struct stat *st,
	struct layer_entry *e, struct err **err)
{
	struct stat end;
	bool learns = f->state != COPY_KNOWN;

	e->source = LAYER_DATA_FD;
	e->fd = fd;
	if (add_content(w, f, e, err) < 0)
		return -1;
	if (learns && (fstat(fd, &end) < 0 || touched(st, &end)))
		return copy_write_changed(f, err);
	return 0;
}

/* Metadata of a file that is opened now, or was read ahead. */
static int copy_write_take(struct write *w, struct copy_file *f, bool fresh,
	const struct copy_got *got, struct stat *st)
{
	if (!got)
		return fresh ? copy_opener_read(&w->opener, w->p->s, f, st)
			     : copy_opener_open(&w->opener, f, st);
	*st = got->st;
	if (!fresh)
		return -1;
	copy_file_take(f, st, got->clock, w->p->s->vfs.keep_owner);
	if (f->x)
		f->x->nxattrs = 0;
	return -1;
}

/* A regular file below the root directory. What is not known of it is filled in. */
static int put_dir_file(struct write *w, struct copy_file *f, uint32_t source,
	const struct copy_got *got, struct layer_entry *e, struct err **err)
{
	const char *path = e->path;
	bool fresh = f->state != COPY_KNOWN || !f->stated;
	const struct link *first = fresh ? NULL : same_file(w, f, source, path);
	struct stat st;

	if (first) {
		copy_write_make_link(w, first, f, e);
		return layer_writer_add(w->w, e, err);
	}
	auto_fd int fd = copy_write_take(w, f, fresh, got, &st);
	if (fd < 0 && !got)
		return copy_file_fail(f, err);
	if (!fresh && (uint64_t)st.st_size != f->size)
		return copy_write_changed(f, err);
	if (fresh) {
		copy_file_entry(f, path, e);
		apply_dest(&w->p->d, f, e);
		first = same_file(w, f, source, path);
		if (first) {
			copy_write_make_link(w, first, f, e);
			return layer_writer_add(w->w, e, err);
		}
	}
	if (!f->size)
		return layer_writer_add(w->w, e, err);
	if (!got)
		return put_open(w, f, fd, &st, e, err);
	e->source = LAYER_DATA_MEM;
	e->mem = got->data;
	return add_content(w, f, e, err);
}

static int copy_write_put_entry(void *ctx, struct layer_entry *e, struct copy_file *f,
	uint32_t source, const struct copy_got *got, struct err **err)
{
	struct write *w = ctx;

	if (copy_selection_cancelled(w->p->s, err))
		return -1;
	if (!f)
		return layer_writer_add(w->w, e, err);
	apply_dest(&w->p->d, f, e);
	if (e->type != LAYER_FILE)
		return layer_writer_add(w->w, e, err);
	if (f->content == COPY_CONTENT_DIR)
		return put_dir_file(w, f, source, got, e, err);
	const struct link *first = same_file(w, f, source, e->path);
	if (first) {
		copy_write_make_link(w, first, f, e);
	} else if (f->content != COPY_CONTENT_NONE) {
		copy_file_data(f, e);
		expect(w, f, e);
	}
	return layer_writer_add(w->w, e, err);
}

static int queue_entry(void *ctx, struct layer_entry *e, const struct copy_file *f, uint32_t source,
	struct err **err)
{
	struct write *w = ctx;

	/* what a selection has learnt of its files changes while they are written */
	return copy_ahead_put(w->ahead, e, (struct copy_file *)(uintptr_t)f, source, err);
}

/* The tar is complete, so are the digests. */
static void learn(struct write *w)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < w->nlearned; i++) {
		w->learned[i]->state = COPY_KNOWN;
		bytes += w->learned[i]->size;
	}
	for (size_t i = 0; i < w->nagain; i++)
		if (w->again[i].first->state == COPY_KNOWN) {
			w->again[i].f->digest = w->again[i].first->digest;
			w->again[i].f->state = COPY_KNOWN;
		}
	copy_share_hashed(w->p->s->share, w->nlearned, bytes);
}

static int copy_write_finish(struct write *w, struct err **err)
{
	if (layer_writer_finish(w->w, err) == 0)
		return 0;
	const struct digest *expected = layer_writer_changed(w->w);
	if (!expected)
		return -1;
	const struct copy_file *f =
		(const struct copy_file *)(const void *)((const char *)expected -
							 offsetof(struct copy_file, digest));
	auto_free char *shown = copy_file_show(f);
	return err_prefix(err, "%s", shown);
}

int copy_write(struct copy_placed *p, struct layer_writer *out, struct err **err)
{
	struct write w = {.p = p, .w = out};
	struct copy_emit to = {queue_entry, &w};

	copy_opener_init(&w.opener, p->s);
	w.ahead = copy_ahead_new(p->s, copy_write_put_entry, &w);
	int rc = copy_target_emit(&p->target, &to, err);
	if (rc == 0)
		rc = copy_ahead_flush(w.ahead, err);
	copy_ahead_free(w.ahead);
	copy_opener_clear(&w.opener);
	if (rc == 0)
		rc = copy_write_finish(&w, err);
	if (rc == 0)
		learn(&w);
	free(w.links);
	free(w.again);
	free(w.learned);
	return rc;
}
