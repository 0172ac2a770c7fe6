/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Glue between the generated scanner, the generated grammar and the code that builds the tree.
 * Private to parser/.
 *
 * The scanner (lexer.l) recognises physical lines and asks the functions here what they mean; a
 * logical line then leaves as the tokens KEYWORD [TEXT] HEREDOC* EOL. The value of a keyword is its
 * struct line, which has everything else.
 */
#ifndef BLD_PARSER_SCAN_H
#define BLD_PARSER_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/build.h"
#include "parser/line.h"
#include "parser/source.h"

enum scan_state { SCAN_LINE, SCAN_KEYWORD, SCAN_TEXT, SCAN_BODY, SCAN_EOL };

struct scan {
	struct build *build; /* arena, source, diagnostics, escape character */
	size_t pos;          /* source offset of the next byte the scanner reads */
	enum scan_state state;
	struct line *line; /* being collected, or being handed out; NULL between lines */
	size_t joined;     /* bytes of it so far */
	size_t bodies;     /* heredocs of line that are complete */
	size_t body_start;
	struct word_list comments; /* lines since the last line that was no comment */
	struct word_list checks;
	size_t near_miss; /* line that only lacks exactness to end the heredoc; 0 = none */
};

/* What the scanner does next. */
enum scan_next { SCAN_NEXT_LINE, SCAN_NEXT_CONTINUED, SCAN_NEXT_BODY };

/* A physical line that begins or continues an instruction. */
enum scan_next scan_physical(struct scan *sc, size_t off, size_t len);

/* A comment line, and a blank line, between instructions. */
void scan_comment(struct scan *sc, size_t off, size_t len);
void scan_blank(struct scan *sc);

/* The file ended inside a continuation. */
enum scan_next scan_line_end(struct scan *sc);

/* A line of a heredoc body; true when it was the terminator of one. */
bool scan_body(struct scan *sc, size_t off, size_t len);

/* The file ended inside a heredoc. */
void scan_body_end(struct scan *sc);

/* More bodies follow. */
bool scan_body_pending(const struct scan *sc);

/* The next token of a line that has been read completely, 0 when the scanner has to read on. */
int scan_token(struct scan *sc, struct line **value, struct span *location);

#endif
