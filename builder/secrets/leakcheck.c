// SPDX-License-Identifier: Apache-2.0
/*
 * Looks for secrets in a layer while its tar is written: it reads the tar as a stream, block by
 * block, and needs no more than a header and the records of paths. Names and link targets are
 * looked at, too. The first path is kept and the others are counted.
 */
#include "builder/secrets/leakcheck.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/mem.h"

#define TAR_BLOCK    512
#define TAR_NAME     0
#define TAR_SIZE     124
#define TAR_TYPE     156
#define TAR_PREFIX   345
#define PAX_TEXT_MAX ((size_t)1 << 20) /* of the records that may hold a path */

struct leakcheck {
	struct mask *mask;          /* owned */
	struct mask_search *search; /* owned */
	const struct secret **v;    /* owned array; what the mask counts */
	size_t n;
	unsigned char head[TAR_BLOCK];
	size_t nhead;
	uint64_t left; /* of the body, with its padding */
	uint64_t body; /* of it that is no padding */
	struct buf pax;
	bool in_pax;
	bool hit;    /* in the records or in the body of the entry at hand */
	char *path;  /* owned; of the entry at hand, or of the next one (from its records) */
	char *found; /* owned */
	int value;   /* what was found */
	size_t more;
};

struct leakcheck *leakcheck_new(const struct secret *const *v, size_t n)
{
	auto_free struct mask_value *values = mem_array(n + 1, sizeof *values);

	for (size_t i = 0; i < n; i++)
		values[i] = (struct mask_value){v[i]->data, v[i]->len};
	struct mask *m = mask_new(values, n, false);
	if (!m)
		return NULL;
	struct leakcheck *c = mem_alloc(sizeof *c);
	c->mask = m;
	c->search = mask_search_new(m);
	c->v = mem_array(n, sizeof *c->v);
	memcpy(c->v, v, n * sizeof *c->v);
	c->n = n;
	buf_init(&c->pax, PAX_TEXT_MAX);
	return c;
}

void leakcheck_free(struct leakcheck *c)
{
	if (!c)
		return;
	mask_search_free(c->search);
	mask_free(c->mask);
	buf_clear(&c->pax);
	free(c->v);
	free(c->path);
	free(c->found);
	free(c);
}

/* --- entries --------------------------------------------------------------------------------- */

static uint64_t leakcheck_number(const unsigned char *p)
{
	uint64_t v = 0;

	if (*p & 0x80) { /* binary, for what twelve digits cannot hold */
		for (size_t i = 4; i < 12; i++)
			v = v << 8 | p[i];
		return v;
	}
	for (size_t i = 0; i < 12 && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	return v;
}

/* Records are "LENGTH KEY=VALUE\n", the length that of the whole record. */
static void leakcheck_find_path(struct leakcheck *c)
{
	static const char *const keys[] = {"path=", "GNU.sparse.name="};
	const char *p = c->pax.data, *end = p + c->pax.len;

	while (p < end) {
		char *key;
		size_t len = strtoul(p, &key, 10);
		if (len == 0 || len > (size_t)(end - p) || *key != ' ')
			return;
		key++;
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			size_t n = strlen(keys[i]);
			if (strncmp(key, keys[i], n) != 0)
				continue;
			free(c->path);
			c->path = mem_strndup(key + n, (size_t)(p + len - 1 - key) - n);
		}
		p += len;
	}
}

static char *path_of_head(const struct leakcheck *c)
{
	const char *name = (const char *)c->head + TAR_NAME;
	const char *prefix = (const char *)c->head + TAR_PREFIX;

	return mem_printf("%.*s%s%.*s", 155, prefix, *prefix ? "/" : "", 100, name);
}

static void leakcheck_tell(struct leakcheck *c, int value)
{
	c->hit = true;
	if (!c->found)
		c->value = value;
}

/* Between two entries: what was found belongs to the one that ends. */
static void end_entry(struct leakcheck *c)
{
	if (c->hit && c->found)
		c->more++;
	if (c->hit && !c->found && c->path)
		c->found = mem_printf("%s%s", *c->path == '/' ? "" : "/", c->path);
	c->hit = false;
	free(c->path);
	c->path = NULL;
	mask_search_reset(c->search);
}

static void leakcheck_look(struct leakcheck *c, const void *p, size_t n)
{
	if (c->hit)
		return;
	int value = mask_search_feed(c->search, p, n);
	if (value >= 0)
		leakcheck_tell(c, value);
}

/* A name and a target fill their fields, with nothing between them. */
static void look_at_head(struct leakcheck *c)
{
	static const struct {
		size_t at, n;
	} fields[] = {{TAR_NAME, 100}, {157, 100}, {265, 32}, {297, 32}, {TAR_PREFIX, 155}};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		mask_search_reset(c->search);
		leakcheck_look(c, c->head + fields[i].at,
			strnlen((const char *)c->head + fields[i].at, fields[i].n));
	}
	/* A name that was cut into two. */
	auto_free char *name = path_of_head(c);
	mask_search_reset(c->search);
	leakcheck_look(c, name, strlen(name));
	mask_search_reset(c->search);
}

static void take_head(struct leakcheck *c)
{
	char type = (char)c->head[TAR_TYPE];

	c->body = leakcheck_number(c->head + TAR_SIZE);
	c->left = (c->body + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	c->in_pax = type == 'x' || type == 'g';
	buf_reset(&c->pax);
	if (c->in_pax)
		return;
	if (!c->path)
		c->path = path_of_head(c);
	look_at_head(c);
}

static void end_body(struct leakcheck *c)
{
	if (c->in_pax) {
		leakcheck_find_path(c);
		c->in_pax = false;
		mask_search_reset(c->search);
	} else {
		end_entry(c);
	}
}

static size_t take_body(struct leakcheck *c, const unsigned char *p, size_t n)
{
	size_t take = n < c->left ? n : (size_t)c->left;
	size_t use = take < c->body ? take : (size_t)c->body;

	leakcheck_look(c, p, use);
	if (c->in_pax)
		buf_add(&c->pax, p, use);
	c->body -= use;
	c->left -= take;
	return take;
}

static int leakcheck_take(void *ctx, const void *data, size_t n, struct err **err)
{
	struct leakcheck *c = ctx;
	const unsigned char *p = data;

	(void)err;
	while (n) {
		size_t used;
		if (c->left) {
			used = take_body(c, p, n);
		} else {
			used = TAR_BLOCK - c->nhead < n ? TAR_BLOCK - c->nhead : n;
			memcpy(c->head + c->nhead, p, used);
			c->nhead += used;
			if (c->nhead == TAR_BLOCK) {
				c->nhead = 0;
				take_head(c);
			}
		}
		if (!c->left && !c->nhead)
			end_body(c);
		p += used;
		n -= used;
	}
	return 0;
}

struct io_writer leakcheck_writer(struct leakcheck *c)
{
	return (struct io_writer){.write = leakcheck_take, .ctx = c};
}

const char *leakcheck_found(const struct leakcheck *c, const char **id, size_t *more)
{
	if (!c->found)
		return NULL;
	*id = c->v[c->value]->id;
	*more = c->more;
	return c->found;
}
