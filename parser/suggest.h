/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the nearest of a few known names. */
#ifndef BLD_PARSER_SUGGEST_H
#define BLD_PARSER_SUGGEST_H

#include <stddef.h>

#include "parser/slice.h"

/*
 * The candidate nearest to a word, ASCII case ignored, counting insertions, removals, changes and
 * swaps of neighbours; NULL when none is near (more than 2, or more than half of the word). Words
 * over 40 bytes have no neighbours.
 */
const char *suggest_nearest(struct slice word, const char *const *candidates, size_t count);

#endif
