/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the nearest of a few known names. */
#ifndef BLD_PARSER_SUGGEST_H
#define BLD_PARSER_SUGGEST_H

#include <stddef.h>

#include "parser/slice.h"

#define SUGGEST_WORD_MAX 64 /* bytes; longer words have no neighbours */

/*
 * How far apart two words are: insertions, removals, changes and swaps of neighbours, ASCII case
 * ignored. SUGGEST_WORD_MAX + 1 when one is too long.
 */
unsigned suggest_distance(struct slice a, struct slice b);

/*
 * The candidate nearest to a word, ASCII case ignored, counting insertions, removals, changes and
 * swaps of neighbours; NULL when none is near (more than 2, more than 1 in a word of less than 6
 * bytes). When none is, the only one that begins with the word.
 */
const char *suggest_nearest(struct slice word, const char *const *candidates, size_t count);

#endif
