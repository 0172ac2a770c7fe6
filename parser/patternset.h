/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many patterns at once: which of them match a path, in one walk over it. For lists in which so
 * many may match that literals.h does not help ("*[ab]*", ten thousand times): the states of all
 * patterns are bits of one long word, and a character moves all of them in a few instructions for
 * 64 states.
 */
#ifndef BLD_PARSER_PATTERNSET_H
#define BLD_PARSER_PATTERNSET_H

#include <stddef.h>
#include <stdint.h>

#include "parser/arena.h"
#include "parser/pattern.h"
#include "parser/slice.h"

#define PATTERNSET_MASKS_MAX ((size_t)32 << 20) /* bytes of what is made beforehand */

struct patternset;

/* Lives in the arena; the patterns outlive it. NULL where it would take more than that. */
struct patternset *patternset_new(
	struct arena *arena, const struct pattern *const *patterns, size_t count);

/* Words that bits of this many patterns take. */
#define PATTERNSET_WORDS(count) (((count) + 63) / 64)

/*
 * Set bit i of *parents where pattern_test_parents(i, path) holds, and bit i of *below, which may
 * be NULL, where pattern_test_below(i, path) does. Safe for several threads.
 */
void patternset_test(
	const struct patternset *s, struct slice path, uint64_t *parents, uint64_t *below);

#endif
