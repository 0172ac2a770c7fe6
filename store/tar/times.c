// SPDX-License-Identifier: Apache-2.0
/* Whole times beside a layer: written while its entries are, read while they are walked. */
#include "store/tar/times.h"
#include "store/tar/entry.h"

#include <string.h>

static const char head[] = "bld-times 1\n";
#define HEAD (sizeof head - 1)

void layer_times_init(struct layer_times *t)
{
	*t = (struct layer_times){.entries = 0};
	buf_init(&t->b, LAYER_TIMES_MAX);
}

void layer_times_clear(struct layer_times *t)
{
	buf_clear(&t->b);
}

bool layer_times_any(const struct layer_times *t)
{
	return t->b.len > 0;
}

int layer_times_check(const struct layer_times *t, struct err **err)
{
	return t->b.full ? err_set(err, ERR_LIMIT,
				   "the times of the files of a step take more than %zu bytes",
				   LAYER_TIMES_MAX)
			 : 0;
}

static void tar_times_put_number(struct buf *b, uint64_t n)
{
	while (n >= 0x80) {
		buf_addc(b, (char)(n | 0x80));
		n >>= 7;
	}
	buf_addc(b, (char)n);
}

static void put_bytes(struct buf *b, uint64_t v, int n)
{
	for (int i = 0; i < n; i++)
		buf_addc(b, (char)(v >> 8 * i));
}

static void tar_times_begin(struct layer_times *t)
{
	if (!t->b.len)
		buf_add(&t->b, head, HEAD);
}

void layer_times_entry(struct layer_times *t, const struct layer_entry *e)
{
	t->entries++;
	if (e->moved && *e->path)
		layer_times_dir(t, e->path, e->moved);
	if (!e->mtime_ns || e->type == LAYER_HARDLINK) /* a hard link's is that of the file */
		return;
	tar_times_begin(t);
	tar_times_put_number(&t->b, t->entries - t->last);
	put_bytes(&t->b, e->mtime_ns, 4);
	t->last = t->entries;
}

void layer_times_dir(struct layer_times *t, const char *path, const struct timespec *time)
{
	size_t len = strlen(path);

	tar_times_begin(t);
	tar_times_put_number(&t->b, 0);
	tar_times_put_number(&t->b, len);
	buf_add(&t->b, path, len);
	put_bytes(&t->b, (uint64_t)time->tv_sec, 8);
	put_bytes(&t->b, (uint64_t)time->tv_nsec, 4);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int damaged(struct err **err)
{
	return err_set(err, ERR_CORRUPT, "the times of a layer are damaged");
}

static bool get_number(struct layer_times_reader *r, uint64_t *out)
{
	*out = 0;
	for (int shift = 0; r->p < r->end && shift < 63; shift += 7) {
		unsigned char c = *r->p++;
		*out |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

static bool get_bytes(struct layer_times_reader *r, int n, uint64_t *out)
{
	*out = 0;
	if (r->end - r->p < n)
		return false;
	for (int i = 0; i < n; i++)
		*out |= (uint64_t)*r->p++ << 8 * i;
	return true;
}

int layer_times_open(struct layer_times_reader *r, const struct layer_times *t, struct err **err)
{
	*r = (struct layer_times_reader){.p = NULL};
	if (!t || !t->b.len)
		return 0;
	if (t->b.len < HEAD || memcmp(t->b.data, head, HEAD) != 0)
		return damaged(err);
	r->p = (const unsigned char *)t->b.data + HEAD;
	r->end = (const unsigned char *)t->b.data + t->b.len;
	return 0;
}

static bool get_dir(struct layer_times_reader *r)
{
	uint64_t len, sec;

	if (!get_number(r, &len) || !len || len > LAYER_PATH_MAX || (uint64_t)(r->end - r->p) < len)
		return false;
	r->path = (const char *)r->p;
	r->path_len = (size_t)len;
	r->p += len;
	if (memchr(r->path, 0, r->path_len) || !get_bytes(r, 8, &sec))
		return false;
	r->sec = (int64_t)sec;
	r->entry = 0;
	return true;
}

int layer_times_next(struct layer_times_reader *r, struct err **err)
{
	uint64_t n, nsec;

	if (r->p == r->end)
		return 0;
	if (!get_number(r, &n) || n > LAYER_ENTRIES_MAX)
		return damaged(err);
	if (n)
		r->entry = r->last += n;
	else if (!get_dir(r))
		return damaged(err);
	if (!get_bytes(r, 4, &nsec) || nsec >= 1000000000)
		return damaged(err);
	r->nsec = (uint32_t)nsec;
	return 1;
}
