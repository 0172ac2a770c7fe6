// SPDX-License-Identifier: Apache-2.0
#include "store/base/strlist.h"

#include <stdarg.h>
#include <string.h>

#include "store/base/mem.h"

void strlist_clear(struct strlist *l)
{
	int saved = errno;

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

bool strlist_has(const struct strlist *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

bool strlist_equal(const struct strlist *a, const struct strlist *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

void strlist_remove(struct strlist *l, size_t i)
{
	free(l->v[i]);
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof *l->v); /* the NULL moves too */
	l->n--;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof *l->v, by_bytes);
}

/* Index of the line that sets key, l->n when there is none. */
static size_t find_kv(const struct strlist *l, const char *key)
{
	size_t len = strlen(key), i;

	for (i = 0; i < l->n; i++)
		if (strncmp(l->v[i], key, len) == 0 && l->v[i][len] == '=')
			break;
	return i;
}

const char *strlist_get_kv(const struct strlist *l, const char *key)
{
	size_t i = find_kv(l, key);

	return i < l->n ? l->v[i] + strlen(key) + 1 : NULL;
}

void strlist_set_kv(struct strlist *l, const char *key, const char *value)
{
	size_t i = find_kv(l, key);
	char *line = mem_printf("%s=%s", key, value);

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

	while ((i = find_kv(l, key)) < l->n)
		strlist_remove(l, i);
}
