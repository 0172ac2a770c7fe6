// SPDX-License-Identifier: Apache-2.0
/*
 * Holes by content: one LAYER_HOLE of the file after the other, of each its first bytes, and the
 * rest only where those are zeros. What extents or the file system call a hole is not read at all.
 */
#include "store/tar/holes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/block.h"
#include "store/tar/entry.h"
#include "store/tar/name.h"

#define PROBE ((size_t)4 << 10)
#define CHUNK ((size_t)64 << 10)
_Static_assert(LAYER_HOLE % CHUNK == 0 && CHUNK % PROBE == 0, "sizes of reading");

/* Where the bytes are looked for. */
struct look {
	const struct layer_entry *e;
	int fd;
	bool asks;          /* the file system is asked */
	uint64_t next_data; /* what it said last: no data before this */
	size_t extent;      /* of e: none before this one ends behind the place that is looked at */
	unsigned char *buf; /* owned, CHUNK bytes */
};

uint64_t layer_next_data(int fd, uint64_t off, uint64_t end)
{
	off_t was = lseek(fd, 0, SEEK_CUR);
	if (was < 0)
		return off;
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);
	bool none = data < 0 && errno == ENXIO;
	if (lseek(fd, was, SEEK_SET) < 0 || (data < 0 && !none))
		return off;
	return none || (uint64_t)data > end ? end : (uint64_t)data;
}

static bool zeros(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* With errno, or short. */
static int holes_fail(const struct look *l, bool is_short, struct err **err)
{
	int saved = errno;
	auto_free char *shown = layer_show(l->e->path);

	errno = saved;
	return is_short ? err_set(err, ERR_CONTEXT, "%s: changed while it was read", shown)
			: err_sys(err, "reading %s", shown);
}

/* Are len bytes at `at` of the descriptor zeros? 1, 0, -1. */
static int read_zeros(struct look *l, uint64_t at, uint64_t len, struct err **err)
{
	size_t part = PROBE;

	for (; len; part = CHUNK) {
		size_t n = len < part ? (size_t)len : part;
		ssize_t got = fs_pread_upto(l->fd, l->buf, n, at);
		if (got != (ssize_t)n)
			return holes_fail(l, got >= 0, err);
		if (!zeros(l->buf, n))
			return 0;
		at += n;
		len -= n;
	}
	return 1;
}

/* What lies between the extents is a hole. */
static int extents_zero(struct look *l, uint64_t off, uint64_t end, struct err **err)
{
	const struct layer_entry *e = l->e;

	while (l->extent < e->nextents &&
		e->extents[l->extent].off + e->extents[l->extent].len <= off)
		l->extent++;
	for (size_t i = l->extent; i < e->nextents && e->extents[i].off < end; i++) {
		const struct layer_extent *x = &e->extents[i];
		uint64_t from = x->off > off ? x->off : off;
		uint64_t to = x->off + x->len < end ? x->off + x->len : end;
		int rc = read_zeros(l, x->data + (from - x->off), to - from, err);
		if (rc != 1)
			return rc;
	}
	return 1;
}

static int is_zero(struct look *l, uint64_t off, uint64_t end, struct err **err)
{
	const struct layer_entry *e = l->e;

	if (e->source == LAYER_DATA_MEM)
		return zeros((const unsigned char *)e->mem + off, (size_t)(end - off));
	if (e->extents)
		return extents_zero(l, off, end, err);
	if (l->next_data >= end)
		return 1;
	uint64_t at = e->source == LAYER_DATA_PATH ? off : e->data_off + off;
	int rc = read_zeros(l, at, end - off < PROBE ? end - off : PROBE, err);
	if (rc != 1)
		return rc;
	/* Asked only here: a file without zeros costs one call in each LAYER_HOLE. */
	if (l->asks)
		l->next_data = layer_next_data(l->fd, off, e->size);
	return l->next_data >= end ? 1 : read_zeros(l, at, end - off, err);
}

static void holes_add(struct layer_map *m, uint64_t off, uint64_t end)
{
	if (end > off)
		MEM_PUSH(m->v, m->n, m->cap) = (struct layer_extent){.off = off, .len = end - off};
}

/* The end of the hole that begins at `off`; `off` when none does. A piece of less than LAYER_HOLE
 * at the end of the file belongs to the hole in front of it. */
static int hole_end(struct look *l, uint64_t off, uint64_t *out, struct err **err)
{
	uint64_t size = l->e->size;
	int rc = 1;

	*out = off;
	while (*out < size && rc == 1) {
		uint64_t end = size - *out < LAYER_HOLE ? size : *out + LAYER_HOLE;
		if (end - off < LAYER_HOLE)
			break;
		rc = is_zero(l, *out, end, err);
		if (rc == 1)
			*out = end;
	}
	return rc < 0 ? -1 : 0;
}

static int holes_find(struct look *l, struct layer_map *m, struct err **err)
{
	uint64_t size = l->e->size, piece = 0, hole;

	/* One place is kept for what lies behind the last hole. */
	for (uint64_t off = 0; off < size && m->n < LAYER_PIECES_MAX - 1;) {
		if (hole_end(l, off, &hole, err))
			return -1;
		if (hole == off) {
			off += LAYER_HOLE;
			continue;
		}
		holes_add(m, piece, off);
		m->sparse = true;
		off = piece = hole;
	}
	holes_add(m, piece, size);
	return 0;
}

int layer_map_find(const struct layer_entry *e, int fd, struct layer_map *out, struct err **err)
{
	bool path = e->source == LAYER_DATA_PATH;

	*out = (struct layer_map){.v = NULL};
	if (e->size < LAYER_HOLE || e->source == LAYER_NO_DATA)
		return 0;
	auto_free unsigned char *buf = mem_grow(NULL, CHUNK, 1);
	struct look l = {.e = e,
		.fd = path ? fd : e->fd,
		.asks = path || (e->source == LAYER_DATA_FD && !e->extents && !e->data_off),
		.buf = buf};
	int rc = holes_find(&l, out, err);
	if (rc || !out->sparse)
		layer_map_clear(out);
	return rc;
}

void layer_map_copy(const struct layer_entry *e, struct layer_map *out)
{
	*out = (struct layer_map){.sparse = e->extents != NULL};
	for (size_t i = 0; i < e->nextents; i++)
		holes_add(out, e->extents[i].off, e->extents[i].off + e->extents[i].len);
}

void layer_map_clear(struct layer_map *m)
{
	free(m->v);
	*m = (struct layer_map){.v = NULL};
}

uint64_t layer_map_bytes(const struct layer_map *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += m->v[i].len;
	return sum;
}

static void holes_number(struct buf *out, uint64_t v)
{
	buf_addf(out, "%llu\n", (unsigned long long)v);
}

/* A piece without bytes at the end tells readers that go by pieces where the file ends. */
void layer_map_text(const struct layer_map *m, uint64_t size, struct buf *out)
{
	static const char pad[LAYER_TAR_BLOCK];
	bool open_end = !m->n || m->v[m->n - 1].off + m->v[m->n - 1].len < size;

	holes_number(out, m->n + open_end);
	for (size_t i = 0; i < m->n; i++) {
		holes_number(out, m->v[i].off);
		holes_number(out, m->v[i].len);
	}
	if (open_end) {
		holes_number(out, size);
		holes_number(out, 0);
	}
	buf_add(out, pad, -out->len % LAYER_TAR_BLOCK);
}
