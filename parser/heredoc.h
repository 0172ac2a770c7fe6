/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heredoc words of an instruction. Private to parser/.
 *
 * A shell word counts when it is, from its first byte, digits? << -? delimiter without "<"; blanks
 * may stand before the delimiter. Inside (( )) "<<" is a shift and not taken. Quotes are understood
 * with a backslash as escape whatever the file's escape character is.
 */
#ifndef BLD_PARSER_HEREDOC_H
#define BLD_PARSER_HEREDOC_H

#include <stdbool.h>

#include "parser/build.h"

#define HEREDOC_COUNT_MAX 1000 /* of one instruction */

/* Whether the instruction on the line (its child for ONBUILD) can have heredocs; then fills
 * line->heredocs without bodies. */
void heredoc_find(struct build *b, struct line *line);

/* Store the body: raw text of the file. */
void heredoc_set_body(struct build *b, struct ast_heredoc *h, struct span body);

#endif
