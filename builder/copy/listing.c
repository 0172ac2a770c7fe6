// SPDX-License-Identifier: Apache-2.0
/*
 * The files of a selection, one after the other, for who wants to know later which of them changed.
 */
#include <string.h>

#include "builder/copy/selection.h"
#include "store/base/cleanup.h"
#include "store/base/mem.h"

#define DEPTHS 64 /* directories further down count as being on the last of these levels */

struct levels {
	size_t n[DEPTHS];
};

static size_t listing_level(size_t depth)
{
	return depth < DEPTHS ? depth : DEPTHS - 1;
}

static void listing_count(struct levels *l, const struct copy_file *f, size_t depth)
{
	l->n[listing_level(depth)]++;
	for (uint32_t i = 0; i < f->nchild; i++)
		listing_count(l, &f->child[i], depth + 1);
}

/* The deepest level at which no more than `most` files are told. */
static size_t deepest(const struct copy_selection *s, size_t most)
{
	struct levels l = {{0}};
	size_t sum = 0, d = 0;

	for (size_t i = 0; i < s->n; i++)
		listing_count(&l, s->v[i].file, 0);
	while (d < DEPTHS && sum + l.n[d] <= most)
		sum += l.n[d++];
	return d ? d - 1 : 0;
}

static uint64_t short_of(const struct digest *d)
{
	uint64_t v;

	memcpy(&v, d->b, sizeof v);
	return v;
}

static uint64_t other_of(const struct copy_extra *x)
{
	struct digest d;
	struct sha256 h;

	if (!x || (!x->nxattrs && !x->dev_major && !x->dev_minor))
		return 0;
	sha256_init(&h);
	sha256_field_u64(&h, x->dev_major);
	sha256_field_u64(&h, x->dev_minor);
	for (uint32_t i = 0; i < x->nxattrs; i++) {
		sha256_field_str(&h, x->xattrs[i].name);
		sha256_field(&h, x->xattrs[i].value, x->xattrs[i].len);
	}
	sha256_final(&h, &d);
	return short_of(&d);
}

static void listing_describe(const struct copy_file *f, struct copy_listed *out)
{
	bool content = f->content != COPY_CONTENT_NONE && f->state == COPY_KNOWN;

	*out = (struct copy_listed){
		.type = f->type,
		.mode = (uint16_t)(f->mode & 07777),
		.uid = f->uid,
		.gid = f->gid,
		.content = content ? short_of(&f->digest) : 0,
		.other = other_of(f->x),
		.name = f->name,
		.link = f->x && f->x->link ? f->x->link : "",
	};
}

static void hash_below(struct sha256 *h, const struct copy_file *f)
{
	struct copy_listed e;

	for (uint32_t i = 0; i < f->nchild; i++) {
		listing_describe(&f->child[i], &e);
		sha256_field_str(h, e.name);
		sha256_field_str(h, e.link);
		sha256_field_u64(h, e.type | (uint64_t)e.mode << 32);
		sha256_field_u64(h, e.uid | (uint64_t)e.gid << 32);
		sha256_field_u64(h, e.content);
		sha256_field_u64(h, e.other);
		hash_below(h, &f->child[i]);
	}
}

struct lister {
	size_t most;
	size_t deepest;
	copy_list_fn *fn;
	void *ctx;
};

static void listing_list(struct lister *l, const struct copy_file *f, size_t depth, size_t item)
{
	bool placed = depth == 0 && (f->parent || (f->x && f->x->path));
	auto_free char *path = placed ? copy_file_path(f) : NULL;
	struct copy_listed e;

	if (l->most == 0)
		return;
	l->most--;
	listing_describe(f, &e);
	e.depth = (uint16_t)listing_level(depth);
	e.item = item;
	if (path)
		e.name = path;
	if (f->nchild && listing_level(depth) >= l->deepest) {
		struct digest d;
		struct sha256 h;
		sha256_init(&h);
		hash_below(&h, f);
		sha256_final(&h, &d);
		e.content = short_of(&d);
		e.whole = true;
	}
	l->fn(l->ctx, &e);
	for (uint32_t i = 0; i < f->nchild && !e.whole; i++)
		listing_list(l, &f->child[i], depth + 1, item);
}

void copy_list(const struct copy_selection *s, size_t most, copy_list_fn *fn, void *ctx)
{
	struct lister l = {.most = most, .deepest = deepest(s, most), .fn = fn, .ctx = ctx};

	for (size_t i = 0; i < s->n; i++)
		listing_list(&l, s->v[i].file, 0, s->v[i].item);
}
