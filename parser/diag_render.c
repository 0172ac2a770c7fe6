// SPDX-License-Identifier: Apache-2.0
/*
 * Printing of diagnostics. Text of the file goes to a terminal here, so everything that could
 * control one is shown as \xNN or \u{NNNN}; the caret line is built from the same pieces and stays
 * under its word.
 */
#include "parser/diag.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/source.h"
#include "parser/urlsecret.h"
#include "parser/utf8.h"

#define CONTEXT_LINES 2   /* shown before the marked line */
#define LINE_SHOWN    160 /* characters of a line */
#define MARK_BEFORE   60  /* characters kept before the mark in a line that is cut */

struct out {
	slice_sink_fn sink;
	void *ctx;
};

static void diag_render_put(struct out *o, const char *text)
{
	o->sink(o->ctx, slice_of(text));
}

static bool invisible(uint32_t rune)
{
	return rune < 0x20 || (rune >= 0x7F && rune < 0xA0) || rune == 0xFEFF ||
	       (rune >= 0x200B && rune <= 0x200F) || (rune >= 0x2028 && rune <= 0x202E) ||
	       (rune >= 0x2060 && rune <= 0x206F) || (rune >= 0xE0000 && rune <= 0xE007F);
}

/* The printed form of the first character; returns the bytes it takes in s. */
static size_t printable(struct slice s, char out[16], size_t *len)
{
	uint32_t rune;
	size_t used = utf8_decode(s, &rune);

	if (rune == UTF8_INVALID)
		*len = (size_t)snprintf(out, 16, "\\x%02x", (unsigned char)s.ptr[0]);
	else if (rune == '\t')
		*len = (size_t)snprintf(out, 16, "\\t");
	else if (rune == '\n')
		*len = (size_t)snprintf(out, 16, "\\n");
	else if (rune == '\r')
		*len = (size_t)snprintf(out, 16, "\\r");
	else if (invisible(rune))
		*len = (size_t)snprintf(out, 16, rune < 0x100 ? "\\x%02x" : "\\u{%x}", rune);
	else
		memcpy(out, s.ptr, *len = used);
	return used;
}

void diag_render_escaped(struct slice text, slice_sink_fn sink, void *ctx)
{
	char piece[16];
	size_t len;

	while (text.len > 0) {
		text = slice_from(text, printable(text, piece, &len));
		sink(ctx, (struct slice){piece, len});
	}
}

/* Part of a line that is shown: long lines are cut around the mark. */
static struct slice window(struct slice line, size_t *mark)
{
	size_t from = 0;

	if (line.len <= LINE_SHOWN)
		return line;
	if (*mark > MARK_BEFORE)
		from = *mark - MARK_BEFORE;
	if (from > line.len - LINE_SHOWN)
		from = line.len - LINE_SHOWN;
	while (from > 0 && ((unsigned char)line.ptr[from] & 0xC0) == 0x80)
		from--;
	*mark -= from;
	return slice_sub(line, from, LINE_SHOWN);
}

/* A line with the secrets of its URLs blanked out, so that columns stay; owned by the caller. */
static char *blanked(struct slice line)
{
	char *copy = malloc(line.len + 1);

	if (!copy)
		abort();
	if (line.len)
		memcpy(copy, line.ptr, line.len);
	urlsecret_blank(copy, line.len);
	return copy;
}

static void numbered(struct out *o, size_t number, struct slice line, bool cut_left, bool cut_right)
{
	char head[32];

	line = slice_trim_right(line);
	snprintf(head, sizeof head, "%5zu |%s", number, line.len ? " " : "");
	diag_render_put(o, head);
	if (cut_left)
		diag_render_put(o, "...");
	for (size_t i = 0, used; i < line.len; i += used) {
		char piece[16];
		size_t len;

		if (line.ptr[i] == '\t') { /* kept: the caret line repeats it */
			diag_render_put(o, "\t");
			used = 1;
			continue;
		}
		used = printable(slice_from(line, i), piece, &len);
		o->sink(o->ctx, (struct slice){piece, len});
	}
	diag_render_put(o, cut_right ? "...\n" : "\n");
}

/* East Asian wide characters and emoji, in ranges wide enough for a caret. */
static bool wide(uint32_t rune)
{
	static const uint32_t ranges[][2] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3},
		{0xF900, 0xFAFF}, {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0x1F300, 0x1FAFF},
		{0x20000, 0x3FFFD}};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (rune >= ranges[i][0] && rune <= ranges[i][1])
			return true;
	return false;
}

/* Columns a printed character takes; wide ones are counted as two, combining ones as none. */
static size_t columns(struct slice s, size_t *used)
{
	char piece[16];
	uint32_t rune;
	size_t len;

	utf8_decode(s, &rune);
	*used = printable(s, piece, &len);
	if (rune == UTF8_INVALID || invisible(rune))
		return len;
	if (rune >= 0x300 && rune <= 0x36F)
		return 0;
	return wide(rune) ? 2 : 1;
}

static void caret(struct out *o, struct slice line, size_t mark, size_t len, bool cut_left)
{
	size_t used, width = 0;

	diag_render_put(o, cut_left ? "      |    " : "      | ");
	for (size_t i = 0; i < mark && i < line.len; i += used) {
		if (line.ptr[i] == '\t') {
			diag_render_put(o, "\t");
			used = 1;
			continue;
		}
		for (size_t n = columns(slice_from(line, i), &used); n > 0; n--)
			diag_render_put(o, " ");
	}
	diag_render_put(o, "^");
	for (size_t i = mark; i < mark + len && i < line.len; i += used)
		width += line.ptr[i] == '\t' ? (used = 1) : columns(slice_from(line, i), &used);
	for (; width > 1; width--)
		diag_render_put(o, "~");
	diag_render_put(o, "\n");
}

static void excerpt(struct out *o, const struct source *source, struct span span)
{
	size_t line = source_line_of(source, span.off);
	struct slice text = source_line(source, line);
	size_t start = (size_t)(text.ptr - source->text.ptr);
	size_t mark, before;
	struct slice shown;
	char *copy;

	if (source->text.len == 0)
		return;
	for (size_t n = line > CONTEXT_LINES ? line - CONTEXT_LINES : 1; n < line; n++) {
		struct slice context = source_line(source, n);

		copy = blanked(context);
		numbered(o, n, slice_sub((struct slice){copy, context.len}, 0, LINE_SHOWN), false,
			context.len > LINE_SHOWN);
		free(copy);
	}
	copy = blanked(text);
	text.ptr = copy;
	before = span.off > start ? span.off - start : 0;
	mark = before < text.len ? before : text.len;
	before = mark;
	shown = window(text, &mark);
	numbered(o, line, shown, mark != before, shown.ptr + shown.len != text.ptr + text.len);
	caret(o, shown, mark, span.len, mark != before);
	free(copy);
}

static const char *severity_name(enum diag_severity severity)
{
	return severity == DIAG_ERROR ? "error" : "warning";
}

void diag_render_text(
	const struct source *source, const struct diag *d, slice_sink_fn sink, void *ctx)
{
	struct out o = {sink, ctx};
	struct endpoint p = source_place(source, d->span.off);
	char where[64];

	diag_render_escaped(source->name, sink, ctx);
	snprintf(where, sizeof where, ":%zu:%zu: %s: ", p.line, p.column,
		severity_name(d->severity));
	diag_render_put(&o, where);
	diag_render_escaped(d->message, sink, ctx);
	diag_render_put(&o, "\n");
	excerpt(&o, source, d->span);
	for (size_t i = 0; i < d->nnotes; i++) {
		diag_render_put(&o, "   = ");
		diag_render_escaped(d->notes[i], sink, ctx);
		diag_render_put(&o, "\n");
	}
	if (d->hint.len) {
		diag_render_put(&o, "   = help: ");
		diag_render_escaped(d->hint, sink, ctx);
		diag_render_put(&o, "\n");
	}
}

void diag_render_json_string(struct slice text, slice_sink_fn sink, void *ctx)
{
	struct out o = {sink, ctx};
	char piece[16];
	uint32_t rune;

	diag_render_put(&o, "\"");
	while (text.len > 0) {
		size_t used = utf8_decode(text, &rune);

		if (rune == UTF8_INVALID)
			diag_render_put(&o, "\xef\xbf\xbd");
		else if (rune == '"' || rune == '\\') {
			snprintf(piece, sizeof piece, "\\%c", (char)rune);
			diag_render_put(&o, piece);
		} else if (rune == '\n')
			diag_render_put(&o, "\\n");
		else if (rune == '\t')
			diag_render_put(&o, "\\t");
		else if (invisible(rune) && rune < 0x10000) {
			snprintf(piece, sizeof piece, "\\u%04x", rune);
			diag_render_put(&o, piece);
		} else
			sink(ctx, slice_sub(text, 0, used));
		text = slice_from(text, used);
	}
	diag_render_put(&o, "\"");
}
