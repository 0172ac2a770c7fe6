/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pattern is compiled to: for pattern.c and patternset.c only.
 */
#ifndef BLD_PARSER_PATTERN_TOKENS_H
#define BLD_PARSER_PATTERN_TOKENS_H

#include <stdint.h>

#include "parser/pattern.h"

enum token_kind {
	TOKEN_CHAR,
	TOKEN_ANY,   /* ? */
	TOKEN_STAR,  /* * */
	TOKEN_CLASS, /* [...] */
	TOKEN_REST,  /* ** at the end, or before a plain name: anything */
	TOKEN_DIRS,  /* **\/ not begun: nothing, or what TOKEN_INSIDE takes */
	TOKEN_INSIDE /* **\/ begun: up to and with some '/' */
};

struct token {
	enum token_kind kind;
	uint32_t rune;
	size_t first, count; /* TOKEN_CLASS: ranges */
	bool negated;
};

struct range {
	uint32_t low, high;
};

/* Borrowed from the pattern. */
const struct token *pattern_tokens(const struct pattern *p, size_t *count);
const struct range *pattern_ranges(const struct pattern *p);

/* The character that a name, which is not empty, begins with; its length. A byte that is no valid
 * UTF-8 is a character above all others. */
size_t pattern_decode(struct slice name, uint32_t *rune);

#endif
