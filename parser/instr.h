/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instruction: keyword and rest of line to a typed node. Private to parser/.
 *
 * Every function reports its mistakes to the build and goes on; false means the node has no use.
 */
#ifndef BLD_PARSER_INSTR_H
#define BLD_PARSER_INSTR_H

#include <stdbool.h>

#include "parser/build.h"
#include "parser/flags.h"

/* NULL when it could not be understood (already reported). */
struct ast_instruction *instr_parse(struct build *b, enum ast_keyword keyword, struct line *line);

/* instr_command.c: RUN CMD ENTRYPOINT SHELL HEALTHCHECK */
bool instr_command(struct build *b, struct line *line, struct slice args, struct ast_command *out);
bool instr_command_run(
	struct build *b, struct line *line, const struct flags *flags, struct ast_run *out);
bool instr_command_shell(
	struct build *b, struct line *line, struct slice args, struct word_list *out);
bool instr_command_healthcheck(
	struct build *b, struct line *line, const struct flags *flags, struct ast_healthcheck *out);

/* instr_copy.c: COPY ADD */
bool instr_copy(struct build *b, enum ast_keyword keyword, struct line *line,
	const struct flags *flags, struct ast_copy *out);

/* instr_pairs.c: ENV LABEL ARG */
bool instr_pairs(struct build *b, enum ast_keyword keyword, struct line *line, struct slice args,
	struct ast_pairs *out);

/* Report a word that no expansion can accept: open quotes, malformed ${}. NULL when it is good (or
 * the list full). */
struct diag *instr_check_word(struct build *b, struct word word);

/* Help for a text that is nearly a JSON list. */
void instr_hint_json(struct build *b, struct diag *d, struct slice text);

/* Warn of [a, b]: JSON was meant, words or a shell command it is. */
void instr_warn_json(struct build *b, struct line *line, struct slice text);

/* Append. */
void instr_push(struct build *b, struct word_list *list, struct word word);

#endif
