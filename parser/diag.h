/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: what is wrong, where, and what to do about it; a list of them; text and JSON
 * rendering.
 *
 * The builder uses the same renderer for its own errors at a place in a Dockerfile or
 * .dockerignore:
 *
 *	struct diag d = {.severity = DIAG_ERROR, .rule = "copy-source", .span = word.span,
 *		.message = slice_of(text), .hint = slice_of("did you mean \"srv/main.c\"?")};
 *	diag_render_text(&df->source, &d, sink, ctx);
 */
#ifndef BLD_PARSER_DIAG_H
#define BLD_PARSER_DIAG_H

#include <stddef.h>

#include "parser/arena.h"
#include "parser/slice.h"
#include "parser/source.h"

/* More than this many are counted but not kept; the last one kept says so. */
#define DIAG_LIST_MAX 200

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

struct diag {
	enum diag_severity severity;
	const char *rule; /* stable id in kebab case, e.g. "unknown-instruction"; static storage */
	struct span span; /* what the caret is put under */
	struct slice message;      /* one line, no final full stop */
	struct slice hint;         /* after "= help: "; len 0 = none */
	const struct slice *notes; /* lines after "= "; may be NULL when nnotes is 0 */
	size_t nnotes;
};

struct diag_list {
	struct arena *arena; /* borrowed; holds items and their texts */
	struct diag *items;  /* in order of discovery until diag_list_sort() */
	size_t count;
	size_t cap;
	size_t errors;   /* also those not kept */
	size_t warnings; /* also those not kept */
};

void diag_list_init(struct diag_list *list, struct arena *arena);

/* Append; the message is formatted into the arena. Returns the item (valid until the next add) to
 * attach a hint, or NULL when the list is full. */
struct diag *diag_list_add(struct diag_list *list, enum diag_severity severity, const char *rule,
	struct span span, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* By position, errors before warnings at the same place; stable. */
void diag_list_sort(struct diag_list *list);

/*
 * Text form:
 *
 *	Dockerfile:12:6: error: message
 *	   10 | WORKDIR /app
 *	   11 |
 *	   12 | COPY srv/mian.c src/
 *	      |      ^~~~~~~~~~
 *	   = note
 *	   = help: hint
 *
 * Up to two lines before the marked one are shown; long lines are cut around the mark. Control
 * characters, bytes that are not UTF-8 and bidirectional overrides are shown escaped, so that a
 * hostile file cannot drive the terminal. Every line ends with a newline.
 */
void diag_render_text(
	const struct source *source, const struct diag *d, slice_sink_fn sink, void *ctx);

/* Write a text with control characters escaped as in the text form (also for other places that
 * print user text). */
void diag_render_escaped(struct slice text, slice_sink_fn sink, void *ctx);

/* Write a JSON string literal with its quotes. */
void diag_render_json_string(struct slice text, slice_sink_fn sink, void *ctx);

#endif
