/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File name patterns.
 *
 * pattern_match is Go's filepath.Match: * and ? do not cross '/', [a-z] [^a-z] classes, \ protects
 * the next character. One difference: a class never matches '/', so that matching component by
 * component gives the same answer as matching whole paths. pattern_match_ignore adds ** of
 * .dockerignore, which crosses '/'. Both match characters of UTF-8; a byte that is no valid UTF-8
 * is a character of its own. Time is O(pattern * name) for any input.
 */
#ifndef BLD_PARSER_PATTERN_H
#define BLD_PARSER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/slice.h"

enum pattern_result { PATTERN_BAD = -1, PATTERN_NO = 0, PATTERN_YES = 1 };

/* A malformed pattern is PATTERN_BAD whatever the name is. */
enum pattern_result pattern_match(struct slice pattern, struct slice name);

/* .dockerignore form of a cleaned pattern and a cleaned relative path. **\/x any depth including
 * none; x\/ ** everything below x;
 * ** elsewhere matches any run of characters. */
enum pattern_result pattern_match_ignore(struct slice pattern, struct slice name);

/* Well-formed: every [ is closed, ranges are in order, no \ at the end. */
bool pattern_valid(struct slice pattern);

/* Has an unescaped *, ? or [. */
bool pattern_has_wildcard(struct slice pattern);

/* Length of the leading whole components, final '/' included, that have no wildcard: "a/b/c*" gives
 * 4; no wildcard at all gives the whole length. */
size_t pattern_literal_prefix(struct slice pattern);

#endif
