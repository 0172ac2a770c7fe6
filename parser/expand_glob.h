/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of ${x#p} ${x%p} ${x/p/r}: * and ? only; the escape character protects * ? / } and
 * itself and is an error before anything else. Private to parser/.
 */
#ifndef BLD_PARSER_EXPAND_GLOB_H
#define BLD_PARSER_EXPAND_GLOB_H

#include <stddef.h>

#include "parser/slice.h"

enum expand_glob_status {
	EXPAND_GLOB_OK,
	EXPAND_GLOB_NONE, /* no match */
	EXPAND_GLOB_BAD,  /* malformed pattern */
	EXPAND_GLOB_WORK  /* work limit reached */
};

#define EXPAND_GLOB_SUFFIX  1u
#define EXPAND_GLOB_LONGEST 2u

struct expand_glob;

/* On EXPAND_GLOB_OK *out is yours. */
enum expand_glob_status expand_glob_new(
	struct slice pattern, char escape, struct expand_glob **out);
void expand_glob_free(struct expand_glob *g);

/* value without its shortest or longest matching prefix or suffix; a cut of value. */
enum expand_glob_status expand_glob_trim(struct slice pattern, struct slice value, char escape,
	unsigned how, size_t work_max, size_t *work, struct slice *rest);

/* The leftmost match that is not empty, and the longest there: [*from, *to). An empty match counts
 * only when nothing else could match: never. */
enum expand_glob_status expand_glob_find(const struct expand_glob *g, struct slice value,
	size_t work_max, size_t *work, size_t *from, size_t *to);

#endif
