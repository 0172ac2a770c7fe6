// SPDX-License-Identifier: Apache-2.0
/*
 * Cuts and comparisons of text that is not NUL-terminated. Offsets beyond the end are clipped
 * instead of being an error, so callers can cut at the result of a search that found nothing. Case
 * and blanks are those of ASCII, whatever the locale.
 */
#include "parser/slice.h"

#include <string.h>

struct slice slice_of(const char *s)
{
	return (struct slice){s, s ? strlen(s) : 0};
}

struct slice slice_sub(struct slice s, size_t from, size_t len)
{
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return (struct slice){s.ptr ? s.ptr + from : NULL, len};
}

struct slice slice_from(struct slice s, size_t from)
{
	return slice_sub(s, from, s.len);
}

bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_eq_str(struct slice a, const char *b)
{
	return slice_eq(a, slice_of(b));
}

static char slice_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool slice_eq_nocase(struct slice a, const char *b)
{
	if (a.len != strlen(b))
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (slice_lower(a.ptr[i]) != slice_lower(b[i]))
			return false;
	return true;
}

bool slice_starts(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && (n == 0 || memcmp(s.ptr, prefix, n) == 0);
}

bool slice_has(struct slice s, char c)
{
	return slice_find(s, c, 0) < s.len;
}

size_t slice_find(struct slice s, char c, size_t from)
{
	const char *at;

	if (from >= s.len)
		return s.len;
	at = memchr(s.ptr + from, c, s.len - from);
	return at ? (size_t)(at - s.ptr) : s.len;
}

size_t slice_find_str(struct slice s, const char *needle)
{
	const char *at = s.len ? memmem(s.ptr, s.len, needle, strlen(needle)) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

bool slice_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim_left(struct slice s)
{
	size_t n = 0;

	while (n < s.len && slice_is_blank(s.ptr[n]))
		n++;
	return slice_from(s, n);
}

struct slice slice_trim_right(struct slice s)
{
	while (s.len > 0 && slice_is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct slice slice_trim(struct slice s)
{
	return slice_trim_right(slice_trim_left(s));
}

int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	if (order)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}
