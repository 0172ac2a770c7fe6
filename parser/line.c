// SPDX-License-Identifier: Apache-2.0
/*
 * From a place in a logical line back to the file. A line is put together from pieces without
 * continuations and comments; the piece of an offset is found by bisection, so spans cost little on
 * long lines. A span runs from first to last byte and includes what was left out between them.
 */
#include "parser/line.h"

#include <assert.h>

static size_t line_offset(const struct line *line, size_t at)
{
	size_t low = 0, high = line->npieces;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (line->pieces[mid].at <= at)
			low = mid;
		else
			high = mid;
	}
	return line->pieces[low].off + (at - line->pieces[low].at);
}

struct span line_span(const struct line *line, struct slice cut)
{
	size_t at = (size_t)(cut.ptr - line->base);
	size_t from;

	assert(cut.ptr >= line->base && line->npieces > 0);
	from = line_offset(line, at);
	if (cut.len == 0)
		return (struct span){from, 0};
	return (struct span){from, line_offset(line, at + cut.len - 1) + 1 - from};
}

struct word line_word(const struct line *line, struct slice cut)
{
	return (struct word){cut, line_span(line, cut)};
}

void line_split(struct line *line)
{
	size_t n = 0;

	while (n < line->text.len && !slice_is_blank(line->text.ptr[n]))
		n++;
	line->name = slice_sub(line->text, 0, n);
	line->rest = slice_trim(slice_from(line->text, n));
}
