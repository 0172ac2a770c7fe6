// SPDX-License-Identifier: Apache-2.0
/*
 * A pattern is segments of literal characters and ? between stars. The first segment is anchored
 * where the match starts, the middle ones take their earliest place, the last one its earliest
 * (shortest match) or latest place (longest). That is O(pattern * text): when a segment is not
 * found from one start it is not found from a later one either. Suffixes are matched by the same
 * code walking backwards over reversed tokens.
 */
#include "parser/expand_glob.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "parser/utf8.h"

#define TOKEN_ANY    0xFFFFFFFDu
#define TOKEN_STAR   0xFFFFFFFEu
#define INVALID_BYTE 0x80000000u

struct expand_glob {
	size_t count;
	uint32_t tokens[]; /* characters, TOKEN_ANY, TOKEN_STAR */
};

/* Text with a direction: position 0 is where matching begins, len is where it ends. */
struct walk {
	struct slice text;
	bool backwards;
	size_t *work;
	size_t work_max;
};

static size_t expand_glob_decode(struct slice s, uint32_t *rune)
{
	size_t len = utf8_decode(s, rune);

	if (*rune == UTF8_INVALID)
		*rune = INVALID_BYTE | (unsigned char)s.ptr[0];
	return len;
}

/* The character at a position; returns its length. */
static size_t expand_glob_step(const struct walk *w, size_t pos, uint32_t *rune)
{
	size_t end = w->text.len - pos;

	if (!w->backwards)
		return expand_glob_decode(slice_from(w->text, pos), rune);
	for (size_t len = 2; len <= 4 && len <= end; len++)
		if (expand_glob_decode(slice_sub(w->text, end - len, len), rune) == len)
			return len;
	return expand_glob_decode(slice_sub(w->text, end - 1, 1), rune);
}

enum expand_glob_status expand_glob_new(struct slice pattern, char escape, struct expand_glob **out)
{
	struct expand_glob *g = malloc(sizeof *g + (pattern.len + 1) * sizeof g->tokens[0]);
	uint32_t rune;

	if (!g)
		abort();
	g->count = 0;
	while (pattern.len > 0) {
		char c = pattern.ptr[0];

		if (c == escape) {
			pattern = slice_from(pattern, 1);
			if (pattern.len == 0 ||
				(pattern.ptr[0] != escape && pattern.ptr[0] != '*' &&
					pattern.ptr[0] != '?' && pattern.ptr[0] != '/' &&
					pattern.ptr[0] != '}')) {
				free(g);
				return EXPAND_GLOB_BAD;
			}
			g->tokens[g->count++] = (unsigned char)pattern.ptr[0];
			pattern = slice_from(pattern, 1);
			continue;
		}
		pattern = slice_from(pattern, expand_glob_decode(pattern, &rune));
		if (rune == '*' && g->count > 0 && g->tokens[g->count - 1] == TOKEN_STAR)
			continue;
		g->tokens[g->count++] = rune == '*' ? TOKEN_STAR : rune == '?' ? TOKEN_ANY : rune;
	}
	*out = g;
	return EXPAND_GLOB_OK;
}

void expand_glob_free(struct expand_glob *g)
{
	free(g);
}

static uint32_t token(const struct expand_glob *g, const struct walk *w, size_t i)
{
	return g->tokens[w->backwards ? g->count - 1 - i : i];
}

/* Tokens [from, to) without stars, at a position; moves it behind them. */
static enum expand_glob_status segment_at(
	const struct expand_glob *g, const struct walk *w, size_t from, size_t to, size_t *pos)
{
	size_t at = *pos;

	for (size_t i = from; i < to; i++) {
		uint32_t rune, want = token(g, w, i);

		if ((*w->work)++ >= w->work_max)
			return EXPAND_GLOB_WORK;
		if (at >= w->text.len)
			return EXPAND_GLOB_NONE;
		at += expand_glob_step(w, at, &rune);
		if (want != TOKEN_ANY && want != rune)
			return EXPAND_GLOB_NONE;
	}
	*pos = at;
	return EXPAND_GLOB_OK;
}

/* The earliest or latest place of a segment at or after *pos; moves behind it. */
static enum expand_glob_status segment_search(const struct expand_glob *g, const struct walk *w,
	size_t from, size_t to, bool latest, size_t *pos)
{
	enum expand_glob_status found = EXPAND_GLOB_NONE;
	size_t at = *pos;
	uint32_t rune;

	for (;;) {
		size_t end = at;
		enum expand_glob_status status = segment_at(g, w, from, to, &end);

		if (status == EXPAND_GLOB_WORK)
			return status;
		if (status == EXPAND_GLOB_OK) {
			*pos = end;
			if (!latest)
				return EXPAND_GLOB_OK;
			found = EXPAND_GLOB_OK;
		}
		if (at >= w->text.len)
			return found;
		if ((*w->work)++ >= w->work_max)
			return EXPAND_GLOB_WORK;
		at += expand_glob_step(w, at, &rune);
	}
}

static size_t segment_end(const struct expand_glob *g, const struct walk *w, size_t from)
{
	while (from < g->count && token(g, w, from) != TOKEN_STAR)
		from++;
	return from;
}

/* A match that starts at *pos; moves behind it. *anchored tells that the first segment did not fit,
 * so a later start may. */
static enum expand_glob_status expand_glob_match(const struct expand_glob *g, const struct walk *w,
	bool longest, size_t *pos, bool *anchored)
{
	size_t end = segment_end(g, w, 0);
	enum expand_glob_status status = segment_at(g, w, 0, end, pos);

	*anchored = status == EXPAND_GLOB_NONE;
	while (status == EXPAND_GLOB_OK && end < g->count) {
		size_t from = end + 1;

		end = segment_end(g, w, from);
		if (from == g->count) { /* a star ends the pattern */
			if (longest)
				*pos = w->text.len;
			break;
		}
		status = segment_search(g, w, from, end, longest && end == g->count, pos);
	}
	return status;
}

enum expand_glob_status expand_glob_trim(struct slice pattern, struct slice value, char escape,
	unsigned how, size_t work_max, size_t *work, struct slice *rest)
{
	struct walk w = {value, how & EXPAND_GLOB_SUFFIX, work, work_max};
	struct expand_glob *g;
	enum expand_glob_status status = expand_glob_new(pattern, escape, &g);
	size_t pos = 0;
	bool anchored;

	if (status != EXPAND_GLOB_OK)
		return status;
	status = expand_glob_match(g, &w, how & EXPAND_GLOB_LONGEST, &pos, &anchored);
	expand_glob_free(g);
	if (status == EXPAND_GLOB_WORK)
		return status;
	if (status == EXPAND_GLOB_NONE)
		pos = 0;
	*rest = w.backwards ? slice_sub(value, 0, value.len - pos) : slice_from(value, pos);
	return EXPAND_GLOB_OK;
}

enum expand_glob_status expand_glob_find(const struct expand_glob *g, struct slice value,
	size_t work_max, size_t *work, size_t *from, size_t *to)
{
	struct walk w = {value, false, work, work_max};
	uint32_t rune;
	size_t start = 0;

	if (g->count == 0)
		return EXPAND_GLOB_NONE;
	for (;;) {
		bool anchored;
		size_t end = start;
		enum expand_glob_status status = expand_glob_match(g, &w, true, &end, &anchored);

		if (status == EXPAND_GLOB_OK) {
			*from = start;
			*to = end;
			return status;
		}
		if (status == EXPAND_GLOB_WORK || !anchored || start >= value.len)
			return status;
		start += expand_glob_step(&w, start, &rune);
	}
}
