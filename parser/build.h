/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From logical lines to the tree; called by the actions of the grammar. Private to parser/.
 */
#ifndef BLD_PARSER_BUILD_H
#define BLD_PARSER_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/arena.h"
#include "parser/ast.h"
#include "parser/diag.h"
#include "parser/dockerfile.h"
#include "parser/line.h"

struct build {
	struct dockerfile *df;
	struct arena *arena;     /* df->arena */
	struct diag_list *diags; /* &df->diags */
	char escape;
	size_t directives_end; /* offset; comments before it are directives */
	bool trigger;          /* the text is an ONBUILD trigger */
	bool in_onbuild;       /* parsing the child of an ONBUILD */
	bool in_body;          /* parsing an instruction of the last stage */
	bool told_no_from;     /* instructions before FROM are reported once */
	bool told_stages;
	struct line *current; /* line the grammar is in, for its error message */
	size_t stages_cap;
	size_t glued; /* line of the last instruction when it has a << inside a word; 0 = none */
	bool glued_quote; /* ... and a quote around it is open */
	size_t seen;      /* instructions, good or not */
};

/* For "%.*s" of the user's text in a message: the first part of it. */
#define BUILD_SHOWN(s) (int)((s).len < 120 ? (s).len : 120), (s).ptr ? (s).ptr : ""

/* Remember the line of a keyword, for messages of the grammar. */
void build_begin(struct build *b, struct line *line);

/* Actions: a complete ARG before the first FROM, a FROM, another instruction of a stage, an
 * instruction where none may be, an unknown one, one without argument. */
void build_global(struct build *b, struct line *line);
void build_from(struct build *b, struct line *line);
void build_step(struct build *b, struct line *line);
void build_misplaced(struct build *b, struct line *line);
void build_unknown(struct build *b, struct line *line);
void build_incomplete(struct build *b);

/* After the last line. */
void build_end(struct build *b);

/* Errors and warnings at a cut of the line. The result may be NULL: use build_hint. */
struct diag *build_error(struct build *b, const char *rule, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct diag *build_warning(struct build *b, const char *rule, struct span span, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));
/* An error in a value, which other builders find when they come to it: in the body of a stage it
 * counts only when that stage is built. */
struct diag *build_late_error(struct build *b, const char *rule, struct span span, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));
void build_hint(struct build *b, struct diag *d, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
