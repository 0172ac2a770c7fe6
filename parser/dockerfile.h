/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dockerfile text to tree: the entry of parser/.
 *
 * Parsing never fails as a call: it returns what could be understood plus a list of everything that
 * is wrong. A tree with diags.errors > late_errors is good for showing, not for building; one with
 * late errors can be built as far as no stage that has one is needed.
 */
#ifndef BLD_PARSER_DOCKERFILE_H
#define BLD_PARSER_DOCKERFILE_H

#include <stddef.h>

#include "parser/arena.h"
#include "parser/ast.h"
#include "parser/diag.h"
#include "parser/slice.h"
#include "parser/source.h"

#define DOCKERFILE_SIZE_MAX         (1024 * 1024) /* bytes of the whole file, heredoc bodies included */
#define DOCKERFILE_INSTRUCTIONS_MAX 10000
#define DOCKERFILE_STAGES_MAX       1000

struct dockerfile {
	struct arena *arena; /* owned; holds everything below */
	struct source source;
	struct diag_list diags;  /* sorted by position */
	size_t late_errors;      /* of diags.errors: those that count only when their stage is built
				    (ast_stage.mistaken) */
	char escape;             /* '\\' or '`': for expand.h; heredoc bodies always use '\\' */
	struct word escape_word; /* value of "# escape=" */
	struct word syntax;      /* "# syntax=": accepted and not used */
	struct word check;       /* "# check=" */
	struct ast_instructions globals; /* ARGs before the first FROM */
	struct ast_stage *stages;
	size_t nstages;
	struct ast_instruction *trigger; /* dockerfile_parse_trigger() only */
};

/*
 * Parse a Dockerfile.
 *
 * name   shown in diagnostics, e.g. "Dockerfile"
 * text   whole file; copied
 *
 * Returns a tree, never NULL; dockerfile_free() it.
 */
struct dockerfile *dockerfile_parse(struct slice name, struct slice text);

/*
 * Parse the text of one ONBUILD trigger of a base image, with the default escape character (S17:
 * exactly one instruction; ONBUILD, FROM and MAINTAINER are errors). The result is in ->trigger
 * (NULL on errors); stages is empty. Line numbers count inside the trigger text.
 */
struct dockerfile *dockerfile_parse_trigger(struct slice name, struct slice text);

/* NULL is accepted. */
void dockerfile_free(struct dockerfile *df);

/* Print the tree. Text is indented lines for people; JSON is one object with a final newline and
 * fixed key order, for programs. */
void dockerfile_dump_text(const struct dockerfile *df, slice_sink_fn sink, void *ctx);
void dockerfile_dump_json(const struct dockerfile *df, slice_sink_fn sink, void *ctx);

/* Print the tree as a Dockerfile: one line per instruction, keywords in upper case, flags in a
 * fixed order, heredoc bodies as they were, of the comments those directly above an instruction.
 * Parsing the result gives the same tree, spans apart. Only for a tree without errors; a trigger is
 * printed as the one instruction it is. */
void dockerfile_print(const struct dockerfile *df, slice_sink_fn sink, void *ctx);

/* Print all diagnostics in order, in text form, and a last line "N errors, M warnings" when there
 * is more than one. */
void dockerfile_report(const struct dockerfile *df, slice_sink_fn sink, void *ctx);

#endif
