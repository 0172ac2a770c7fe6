// SPDX-License-Identifier: Apache-2.0
/*
 * The text of a file in the arena and an index of its line starts, from which offsets become lines
 * and columns. Columns are counted in code points, and only when a place is shown; a byte order
 * mark is none of them.
 */
#include "parser/source.h"

#include <stdint.h>

#include "parser/utf8.h"

void source_init(struct source *s, struct arena *a, struct slice name, struct slice text)
{
	size_t *starts;
	size_t n = 1;

	s->name = arena_copy(a, name);
	s->text = arena_copy(a, text);
	for (size_t at = 0; (at = slice_find(text, '\n', at)) < text.len; at++)
		n++;
	starts = arena_array(a, n, sizeof *starts);
	n = 1;
	for (size_t at = 0; (at = slice_find(text, '\n', at)) < text.len; at++)
		starts[n++] = at + 1;
	/* A final newline ends the last line, it does not begin another one. */
	if (n > 1 && starts[n - 1] == text.len)
		n--;
	s->line_start = starts;
	s->nlines = n;
}

size_t source_line_of(const struct source *s, size_t off)
{
	size_t low = 0, high = s->nlines;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (s->line_start[mid] <= off)
			low = mid;
		else
			high = mid;
	}
	return low + 1;
}

struct endpoint source_place(const struct source *s, size_t off)
{
	struct endpoint p;
	struct slice before;
	uint32_t rune;

	if (off > s->text.len)
		off = s->text.len;
	p.line = source_line_of(s, off);
	p.column = 1;
	before = slice_sub(s->text, s->line_start[p.line - 1], off - s->line_start[p.line - 1]);
	/* The byte order mark is no column of its own. */
	if (p.line == 1 && slice_starts(before, "\xef\xbb\xbf"))
		before = slice_from(before, 3);
	while (before.len > 0) {
		before = slice_from(before, utf8_decode(before, &rune));
		p.column++;
	}
	return p;
}

struct slice source_line(const struct source *s, size_t line)
{
	struct slice text;

	if (line == 0 || line > s->nlines)
		return SLICE("");
	text = slice_from(s->text, s->line_start[line - 1]);
	text.len = slice_find(text, '\n', 0);
	while (text.len > 0 && text.ptr[text.len - 1] == '\r')
		text.len--;
	if (line == 1 && slice_starts(text, "\xef\xbb\xbf"))
		text = slice_from(text, 3);
	return text;
}
