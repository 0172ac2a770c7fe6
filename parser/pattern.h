/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File name patterns, two dialects.
 *
 * PATTERN_FILE is Go's filepath.Match: * and ? do not cross '/', [a-z] [^a-z] classes, \ protects
 * the next character. A range in the wrong order matches nothing. One difference: a class never
 * matches '/', so that matching component by component gives the same answer as matching whole
 * paths. PATTERN_IGNORE adds ** of .dockerignore: **\/ (also without the slash) in front of
 * something is any number of whole components, at the end it is any rest that is there; **name with
 * a plain name is any text ending so. Characters are UTF-8; a byte that is no valid UTF-8 is a
 * character of its own. Time is O(pattern * name) for any input.
 */
#ifndef BLD_PARSER_PATTERN_H
#define BLD_PARSER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/slice.h"

enum pattern_dialect { PATTERN_FILE, PATTERN_IGNORE };

enum pattern_result { PATTERN_BAD = -1, PATTERN_NO = 0, PATTERN_YES = 1 };

struct pattern;

/* NULL for a malformed pattern (unclosed or empty class, \ at the end). The text is not needed
 * afterwards. */
struct pattern *pattern_new(struct slice text, enum pattern_dialect dialect);
/* NULL is accepted. */
void pattern_free(struct pattern *p);

bool pattern_test(const struct pattern *p, struct slice name);

/* The path itself or one of its parent directories matches. */
bool pattern_test_parents(const struct pattern *p, struct slice path);

/* The k-th piece of plain bytes that every name it matches holds, as long as there is one;
 * borrowed. They do not overlap. */
bool pattern_literal(const struct pattern *p, size_t k, struct slice *out);

/* Something strictly below a directory might match. */
bool pattern_test_below(const struct pattern *p, struct slice dir);

/* For tests: both steps at once, PATTERN_FILE. A malformed pattern is PATTERN_BAD whatever the name
 * is. */
enum pattern_result pattern_match(struct slice pattern, struct slice name);

/* Has an unescaped *, ? or [. */
bool pattern_has_wildcard(struct slice pattern);

/* Length of the leading whole components, final '/' included, that have no wildcard: "a/b/c*" gives
 * 4; no wildcard at all gives the whole length. */
size_t pattern_literal_prefix(struct slice pattern);

#endif
