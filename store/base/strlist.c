// SPDX-License-Identifier: Apache-2.0
/*
 * Entries are owned and in the order they were added. An index belongs to one state of v[]: adding
 * keeps it, replacing a value keeps it (the key stays), everything else drops it.
 */
#include "store/base/strlist.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "store/base/mem.h"

/* --- the index ---------------------------------------------------------------------------------
 */

#define INDEX_FROM 32 /* entries; shorter lists are searched */

/*
 * Positions of all entries by the hash of the whole entry (sets), or of what stands in front of the
 * first "=" (all of it when there is none), open addressing. Nothing is ever removed, so that of
 * equal keys the first entry is met first. The seed differs from run to run: keys come from
 * outside.
 */
struct strlist_index {
	uint64_t seed;
	bool whole;
	size_t mask;
	size_t used;
	size_t *slots; /* owned; position + 1, 0 = free */
};

static void drop_index(struct strlist *l)
{
	if (l->index)
		free(l->index->slots);
	free(l->index);
	l->index = NULL;
}

static size_t hash(const struct strlist_index *x, const char *key, size_t n)
{
	uint64_t h = x->seed;

	for (size_t i = 0; i < n; i++) {
		h = (h ^ (unsigned char)key[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (size_t)(h ^ (h >> 32));
}

static void strlist_put(struct strlist_index *x, const char *s, size_t position)
{
	size_t at = hash(x, s, x->whole ? strlen(s) : strcspn(s, "=")) & x->mask;

	while (x->slots[at])
		at = (at + 1) & x->mask;
	x->slots[at] = position + 1;
	x->used++;
}

static void strlist_make_index(struct strlist *l, bool whole)
{
	struct strlist_index *x = mem_alloc(sizeof *x);
	size_t room = 2 * INDEX_FROM;

	while (room < 4 * l->n)
		room *= 2;
	*x = (struct strlist_index){
		.whole = whole, .mask = room - 1, .slots = mem_array(room, sizeof *x->slots)};
	memset(x->slots, 0, room * sizeof *x->slots);
	if (getrandom(&x->seed, sizeof x->seed, GRND_NONBLOCK) < 0)
		x->seed = (uintptr_t)x;
	for (size_t i = 0; i < l->n; i++)
		strlist_put(x, l->v[i], i);
	l->index = x;
}

/* For a list that is about to grow by a key, or by a member of a set. */
static void want_index(struct strlist *l, bool whole)
{
	if (l->index && (l->index->whole != whole || 2 * l->index->used > l->index->mask))
		drop_index(l);
	if (!l->index && l->n >= INDEX_FROM)
		strlist_make_index(l, whole);
}

static bool has_key(const char *s, const char *key, size_t n, bool value)
{
	return strncmp(s, key, n) == 0 && s[n] == (value ? '=' : '\0');
}

/* The first entry that is "KEY=..." (value) or KEY itself; l->n when there is none. */
static size_t strlist_find(const struct strlist *l, const char *key, size_t n, bool value)
{
	const struct strlist_index *x = l->index;

	if (!x || (x->whole ? value : memchr(key, '=', n) != NULL)) {
		size_t i = 0;

		while (i < l->n && !has_key(l->v[i], key, n, value))
			i++;
		return i;
	}
	for (size_t at = hash(x, key, n) & x->mask; x->slots[at]; at = (at + 1) & x->mask)
		if (has_key(l->v[x->slots[at] - 1], key, n, value))
			return x->slots[at] - 1;
	return l->n;
}

/* --- lists ------------------------------------------------------------------------------------ */

void strlist_clear(struct strlist *l)
{
	int saved = errno;

	drop_index(l);
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strlist){0};
	errno = saved;
}

void strlist_add_take(struct strlist *l, char *take_s)
{
	if (l->n + 2 > l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->v = mem_grow(l->v, l->cap, sizeof *l->v);
	}
	l->v[l->n++] = take_s;
	l->v[l->n] = NULL;
	if (!l->index)
		return;
	if (2 * l->index->used > l->index->mask)
		drop_index(l);
	else
		strlist_put(l->index, take_s, l->n - 1);
}

void strlist_add_words(struct strlist *l, const char *text)
{
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, ",");

		if (n)
			strlist_add_take(l, mem_strndup(p, n));
		p += n + (p[n] == ',');
	}
}

void strlist_add_once(struct strlist *l, const char *s)
{
	want_index(l, true);
	if (!strlist_has(l, s))
		strlist_add(l, s);
}

void strlist_add(struct strlist *l, const char *s)
{
	strlist_add_take(l, mem_strdup(s));
}

void strlist_addf(struct strlist *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strlist_add_take(l, mem_vprintf(fmt, ap));
	va_end(ap);
}

void strlist_copy(struct strlist *dst, const struct strlist *src)
{
	struct strlist copy = {0};

	for (size_t i = 0; i < src->n; i++)
		strlist_add(&copy, src->v[i]);
	strlist_clear(dst);
	*dst = copy;
}

void strlist_copy_sorted(struct strlist *dst, const struct strlist *src)
{
	strlist_copy(dst, src);
	strlist_sort(dst);
}

bool strlist_has(const struct strlist *l, const char *s)
{
	return strlist_find(l, s, strlen(s), false) < l->n;
}

void strlist_remove(struct strlist *l, size_t i)
{
	drop_index(l);
	free(l->v[i]);
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof *l->v); /* the NULL moves too */
	l->n--;
}

static int strlist_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *l)
{
	drop_index(l);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof *l->v, strlist_compare);
}

const char *strlist_find_kv(const struct strlist *l, const char *key, size_t n)
{
	size_t i = strlist_find(l, key, n, true);

	return i < l->n ? l->v[i] + n + 1 : NULL;
}

const char *strlist_get_kv(const struct strlist *l, const char *key)
{
	return strlist_find_kv(l, key, strlen(key));
}

void strlist_set_kv(struct strlist *l, const char *key, const char *value)
{
	char *line = mem_printf("%s=%s", key, value);

	want_index(l, false);
	size_t i = strlist_find(l, key, strlen(key), true);

	if (i == l->n) {
		strlist_add_take(l, line);
		return;
	}
	free(l->v[i]);
	l->v[i] = line;
}

void strlist_unset_kv(struct strlist *l, const char *key)
{
	size_t i;

	while ((i = strlist_find(l, key, strlen(key), true)) < l->n)
		strlist_remove(l, i);
}

char *strlist_split_kv(const char *pair, const char **value)
{
	size_t n = strcspn(pair, "=");

	*value = pair[n] ? pair + n + 1 : NULL;
	return mem_strndup(pair, n);
}
