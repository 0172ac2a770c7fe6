/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as they come from a process -> lines; and the last lines of a step. */
#ifndef BLD_BUILDER_UI_LINES_H
#define BLD_BUILDER_UI_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/ui/ui.h"
#include "store/base/buf.h"

/* A line without its end; borrowed for the call. */
typedef void (*lines_fn)(void *ctx, const char *p, size_t n);

/* Ends of lines: "\n", "\r\n", a lone "\r" (progress bars), UI_LINE_MAX bytes. */
struct lines_split {
	struct buf part;   /* the line that has no end yet */
	bool skip_newline; /* a newline that comes next belongs to the line that was handed out */
};

void lines_split_init(struct lines_split *s);
void lines_split_clear(struct lines_split *s);
void lines_feed(struct lines_split *s, const char *p, size_t n, lines_fn fn, void *ctx);
/* What has no end, if anything. */
void lines_flush(struct lines_split *s, lines_fn fn, void *ctx);

struct lines_kept {
	char *v[UI_KEEP_LINES]; /* owned; a ring */
	size_t len[UI_KEEP_LINES];
	size_t first;
	size_t n;
	size_t dropped; /* lines that are no longer there */
};

void lines_keep(struct lines_kept *k, const char *p, size_t n);
/* Line i of n, oldest first. */
const char *lines_kept_get(const struct lines_kept *k, size_t i, size_t *len);
void lines_kept_clear(struct lines_kept *k);

#endif
