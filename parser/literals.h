/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many patterns may match a text, found without asking each: every pattern is filed under
 * a literal that what it matches must hold (of those it has, the one that fewest others have), and
 * a text is searched once for all of them.
 */
#ifndef BLD_PARSER_LITERALS_H
#define BLD_PARSER_LITERALS_H

#include <stddef.h>
#include <stdint.h>

#include "parser/arena.h"
#include "parser/pattern.h"
#include "parser/slice.h"

#define LITERALS_LENGTH_MAX 32 /* bytes of a literal that count */

struct literals;

/* Lives in the arena; the patterns outlive it. */
struct literals *literals_new(
	struct arena *arena, const struct pattern *const *patterns, size_t count);

/* Words that bits of this many patterns take. */
#define LITERALS_WORDS(count) (((count) + 63) / 64)

/* Set *bits to those that may match the text or a beginning of it; the others cannot. Safe for
 * several threads. Time: LITERALS_LENGTH_MAX * text, and what is found. */
void literals_find(const struct literals *l, struct slice text, uint64_t *bits);

#endif
