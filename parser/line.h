/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A logical line: one instruction with its physical lines joined, and the way back from its text to
 * the file. Private to parser/.
 */
#ifndef BLD_PARSER_LINE_H
#define BLD_PARSER_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/arena.h"
#include "parser/ast.h"
#include "parser/slice.h"
#include "parser/source.h"

/* Text from at on comes from source offset off on, up to the next piece. */
struct line_piece {
	size_t at;
	size_t off;
};

struct line {
	const char *base;  /* start of the joined text; pieces count from here */
	struct slice text; /* keyword and rest, trimmed; a part of the joined text */
	struct slice name; /* keyword as written */
	struct slice rest; /* after the keyword, trimmed */
	struct line_piece *pieces;
	size_t npieces;
	size_t cap;
	size_t end; /* source offset after the last byte, heredocs included */
	struct ast_heredocs heredocs;
	struct word_list comments, checks; /* as in struct ast_instruction */
};

/* Where a cut of the joined text was written. A slice from elsewhere is a programming error. */
struct span line_span(const struct line *line, struct slice cut);

/* A cut with its span. */
struct word line_word(const struct line *line, struct slice cut);

/* Set name and rest from text. */
void line_split(struct line *line);

#endif
