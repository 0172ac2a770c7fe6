// SPDX-License-Identifier: Apache-2.0
/*
 * What a selection holds, as one sha256: a record of each file in order. Numbers in one piece of a
 * fixed length, which has the lengths of the strings behind it, so that no two selections feed the
 * same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "builder/copy/pool.h"
#include "builder/copy/selection.h"
#include "store/base/cleanup.h"
#include "store/base/mem.h"

#define FORMAT "bld copy 2" /* changes with the order or meaning of the fields below */
#define FLUSH  ((size_t)16 << 10)

struct total {
	struct sha256 h;
	unsigned char buf[FLUSH]; /* not hashed yet */
	size_t fill;
	struct copy_file **linked;
	size_t nlinked;
	size_t cap_linked;
	uint64_t ordinal;
};

static void copy_record_collect(void *ctx, struct copy_file *f)
{
	struct total *t = ctx;

	t->ordinal++;
	if (f->type != LAYER_FILE || !f->linked)
		return;
	if (f->x)
		f->x->ordinal = NULL;
	MEM_PUSH(t->linked, t->nlinked, t->cap_linked) = f;
}

static uint64_t dev_of(const struct copy_file *f)
{
	if (f->node)
		return 0;
	return f->parent ? f->parent->x->dev : f->x->dev;
}

/* Names of one file side by side. */
static int inode_cmp(const void *a, const void *b)
{
	const struct copy_file *x = *(struct copy_file *const *)a;
	const struct copy_file *y = *(struct copy_file *const *)b;
	uint64_t dx = dev_of(x), dy = dev_of(y);

	if (dx != dy)
		return dx < dy ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

/* Files that have several names within the source share a number, which the first of them sets. */
static void group(struct copy_selection *s, struct total *t, struct copy_file *top)
{
	t->nlinked = 0;
	copy_file_each(top, copy_record_collect, t);
	if (t->nlinked < 2)
		return;
	qsort(t->linked, t->nlinked, sizeof *t->linked, inode_cmp);
	for (size_t i = 0, end; i < t->nlinked; i = end) {
		for (end = i + 1;
			end < t->nlinked && inode_cmp(&t->linked[i], &t->linked[end]) == 0; end++)
			;
		if (end - i < 2)
			continue;
		uint64_t *first = copy_pool_alloc(&s->pool, sizeof *first);
		for (size_t k = i; k < end; k++)
			copy_file_extra(t->linked[k], &s->share->pool)->ordinal = first;
	}
}

static void copy_record_put(struct total *t, const void *p, size_t n)
{
	if (n > FLUSH - t->fill) {
		sha256_update(&t->h, t->buf, t->fill);
		t->fill = 0;
	}
	if (n > FLUSH) {
		sha256_update(&t->h, p, n);
		return;
	}
	memcpy(t->buf + t->fill, p, n);
	t->fill += n;
}

static void put_u64(struct total *t, uint64_t v)
{
	unsigned char le[8];

	for (int i = 0; i < 8; i++)
		le[i] = (unsigned char)(v >> (8 * i));
	copy_record_put(t, le, sizeof le);
}

static void copy_record_put_xattrs(struct total *t, const struct copy_extra *x)
{
	for (uint32_t i = 0; i < x->nxattrs; i++) {
		put_u64(t, strlen(x->xattrs[i].name));
		put_u64(t, x->xattrs[i].len);
		copy_record_put(t, x->xattrs[i].name, strlen(x->xattrs[i].name));
		copy_record_put(t, x->xattrs[i].value, x->xattrs[i].len);
	}
}

static uint64_t ordinal_of(struct total *t, const struct copy_file *f)
{
	uint64_t *first = f->type == LAYER_FILE && f->linked && f->x ? f->x->ordinal : NULL;

	t->ordinal++;
	if (!first)
		return 0;
	if (!*first)
		*first = t->ordinal;
	return *first;
}

static void put_record(struct total *t, const struct copy_file *f)
{
	static const struct copy_extra none;
	const struct copy_extra *x = f->x ? f->x : &none;
	size_t name = strlen(f->name), link = x->link ? strlen(x->link) : 0;
	bool content = f->content != COPY_CONTENT_NONE;

	put_u64(t, f->type | (uint64_t)content << 8 | (uint64_t)f->mode << 32);
	put_u64(t, f->uid | (uint64_t)f->gid << 32);
	put_u64(t, f->size);
	put_u64(t, x->dev_major | (uint64_t)x->dev_minor << 32);
	put_u64(t, ordinal_of(t, f));
	put_u64(t, x->nxattrs | (uint64_t)f->nchild << 32);
	put_u64(t, name | (uint64_t)link << 32);
	copy_record_put(t, f->name, name);
	copy_record_put(t, x->link ? x->link : "", link);
	copy_record_put_xattrs(t, x);
	if (content)
		copy_record_put(t, f->digest.b, sizeof f->digest.b);
	for (uint32_t i = 0; i < f->nchild; i++)
		put_record(t, &f->child[i]);
}

void copy_record_hash(struct copy_selection *s, struct digest *out)
{
	auto_free struct total *t = mem_alloc(sizeof *t);

	sha256_init(&t->h);
	copy_record_put(t, FORMAT, sizeof FORMAT);
	put_u64(t, s->n);
	for (size_t i = 0; i < s->n; i++) {
		group(s, t, s->v[i].file);
		t->ordinal = 0;
		put_u64(t, s->v[i].archive | (uint64_t)s->v[i].last << 1 |
				   (uint64_t)s->v[i].parents << 2);
		put_record(t, s->v[i].file);
	}
	sha256_update(&t->h, t->buf, t->fill);
	sha256_final(&t->h, out);
	free(t->linked);
}
