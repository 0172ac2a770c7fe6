/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leading "# key=value" lines: syntax, escape, check. Private to parser/.
 *
 * The scan stops for good at the first line that is anything else, a blank line or another comment
 * included.
 */
#ifndef BLD_PARSER_DIRECTIVE_H
#define BLD_PARSER_DIRECTIVE_H

#include "parser/build.h"

/* Fills escape, syntax and check of the tree; start = offset after a byte order mark. */
void directive_parse(struct build *b, size_t start);

/* "# name = value" to its two parts, which are cuts of the line; false when it is none. */
bool directive_split(struct slice line, struct slice *name, struct slice *value);

#endif
