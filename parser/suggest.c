// SPDX-License-Identifier: Apache-2.0
/*
 * "Did you mean": the nearest candidate by edit distance with neighbouring letters swapped as one
 * step. Short words may be one step away and longer ones two, so that a hint is rather missing than
 * silly; else a word that begins exactly one candidate means that one.
 */
#include "parser/suggest.h"

#include <string.h>

static char suggest_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance, rows of the usual table kept three at a time. */
unsigned suggest_distance(struct slice a, struct slice b)
{
	unsigned rows[3][SUGGEST_WORD_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *now = rows[2];

	if (a.len > SUGGEST_WORD_MAX || b.len > SUGGEST_WORD_MAX)
		return SUGGEST_WORD_MAX + 1;
	for (unsigned j = 0; j <= b.len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *oldest = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = suggest_lower(a.ptr[i - 1]), y = suggest_lower(b.ptr[j - 1]);

			now[j] = least(above[j] + 1, now[j - 1] + 1);
			now[j] = least(now[j], above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == suggest_lower(b.ptr[j - 2]) &&
				suggest_lower(a.ptr[i - 2]) == y)
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = above;
		above = now;
		now = oldest;
	}
	return above[b.len];
}

/* The one candidate that a word is the beginning of. */
static const char *only_start(struct slice word, const char *const *candidates, size_t count)
{
	const char *found = NULL;

	if (word.len < 3)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct slice c = slice_of(candidates[i]);

		if (c.len <= word.len || suggest_distance(word, slice_sub(c, 0, word.len)) > 0)
			continue;
		if (found)
			return NULL;
		found = candidates[i];
	}
	return found;
}

const char *suggest_nearest(struct slice word, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	unsigned limit = word.len >= 6 ? 2 : 1;

	if (word.len > SUGGEST_WORD_MAX || word.len < 2)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		unsigned d;

		d = suggest_distance(word, slice_of(candidates[i]));
		if (d <= limit && (!best || d < limit)) {
			best = candidates[i];
			limit = d;
		}
	}
	return best ? best : only_start(word, candidates, count);
}
