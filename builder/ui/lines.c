// SPDX-License-Identifier: Apache-2.0
/*
 * Output cut into lines for the display. CR, LF and CRLF end one; what is longer than UI_LINE_MAX
 * is cut, and a newline right behind the cut is not a line of its own. A ring of the last lines is
 * what is shown when a step fails.
 */
#include "builder/ui/lines.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

void lines_split_init(struct lines_split *s)
{
	buf_init(&s->part, UI_LINE_MAX);
	s->skip_newline = false;
}

void lines_split_clear(struct lines_split *s)
{
	buf_clear(&s->part);
}

static bool is_end(char c)
{
	return c == '\n' || c == '\r';
}

/* Hand out the part that waited plus p[0..n). */
static void complete(struct lines_split *s, const char *p, size_t n, lines_fn fn, void *ctx)
{
	if (s->part.len == 0) {
		fn(ctx, p, n);
		return;
	}
	buf_add(&s->part, p, n);
	fn(ctx, s->part.data, s->part.len);
	buf_reset(&s->part);
}

void lines_feed(struct lines_split *s, const char *p, size_t n, lines_fn fn, void *ctx)
{
	size_t i = 0;

	while (i < n) {
		size_t room = UI_LINE_MAX - s->part.len, len = 0;

		if (s->skip_newline) {
			s->skip_newline = false;
			if (p[i] == '\n') {
				i++;
				continue;
			}
		}
		while (i + len < n && len < room && !is_end(p[i + len]))
			len++;
		if (i + len < n && is_end(p[i + len])) {
			complete(s, p + i, len, fn, ctx);
			s->skip_newline = p[i + len] == '\r';
			i += len + 1;
		} else if (len == room) {
			complete(s, p + i, len, fn, ctx);
			s->skip_newline =
				true; /* the newline that would have ended it is not another line */
			i += len;
		} else {
			buf_add(&s->part, p + i, len);
			i += len;
		}
	}
}

void lines_flush(struct lines_split *s, lines_fn fn, void *ctx)
{
	if (s->part.len == 0)
		return;
	fn(ctx, s->part.data, s->part.len);
	buf_reset(&s->part);
}

void lines_keep(struct lines_kept *k, const char *p, size_t n)
{
	size_t at = (k->first + k->n) % UI_KEEP_LINES;

	if (n > UI_KEEP_BYTES)
		n = UI_KEEP_BYTES;
	if (k->n == UI_KEEP_LINES) {
		free(k->v[at]);
		k->first = (k->first + 1) % UI_KEEP_LINES;
		k->dropped++;
	} else {
		k->n++;
	}
	k->v[at] = mem_dup(p, n);
	k->len[at] = n;
}

const char *lines_kept_get(const struct lines_kept *k, size_t i, size_t *len)
{
	size_t at = (k->first + i) % UI_KEEP_LINES;

	*len = k->len[at];
	return k->v[at];
}

void lines_kept_clear(struct lines_kept *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->v[(k->first + i) % UI_KEEP_LINES]);
	*k = (struct lines_kept){0};
}
