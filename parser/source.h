/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text file in memory with an index of its lines.
 *
 * Positions inside the parser are byte offsets; lines and columns exist only when something is
 * printed.
 */
#ifndef BLD_PARSER_SOURCE_H
#define BLD_PARSER_SOURCE_H

#include <stddef.h>

#include "parser/arena.h"
#include "parser/slice.h"

/* A range of bytes of a source. */
struct span {
	size_t off;
	size_t len;
};

struct source {
	struct slice name; /* as shown to the user; may hold any byte, escaped when printed */
	struct slice text; /* whole file, in the arena, NUL-terminated */
	const size_t *line_start; /* offset of each line's first byte, in the arena */
	size_t nlines;            /* at least 1 */
};

/* Both count from 1. Columns count UTF-8 characters; a byte that is no valid UTF-8 counts as one.
 */
struct endpoint {
	size_t line;
	size_t column;
};

/* Copies name and text into the arena. */
void source_init(struct source *s, struct arena *a, struct slice name, struct slice text);

/* An offset past the end is taken as the end. */
struct endpoint source_place(const struct source *s, size_t off);

/* Line number (from 1) of an offset, without the cost of the column. */
size_t source_line_of(const struct source *s, size_t off);

/* Text of a line (from 1) without its line ending; empty for a line that does not exist. */
struct slice source_line(const struct source *s, size_t line);

#endif
