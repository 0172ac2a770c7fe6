/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .dockerignore: parse once, ask per path.
 *
 * A path is tested as itself and as each of its parents against every rule in file order; an
 * ordinary match excludes, a match of a !rule includes again, the last match decides. Rules are
 * anchored at the context root.
 */
#ifndef BLD_PARSER_IGNORE_H
#define BLD_PARSER_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/diag.h"
#include "parser/slice.h"
#include "parser/source.h"

#define IGNORE_SIZE_MAX  (1024 * 1024) /* bytes of the file */
#define IGNORE_RULES_MAX 10000

struct ignore;

/* Never NULL; ignore_free() it. With ignore_diags()->errors > 0 it must not be used for matching.
 */
struct ignore *ignore_parse(struct slice name, struct slice text);
/* NULL is accepted. */
void ignore_free(struct ignore *ig);

const struct diag_list *ignore_diags(const struct ignore *ig);
const struct source *ignore_source(const struct ignore *ig);

/*
 * Whether a path is excluded.
 *
 * path   relative to the context root, '/' between components, no "." or ".." and no '/' at either
 * end; "" (the root) is never excluded line   when not NULL: line of the deciding rule, 0 when no
 * rule matched
 *
 * A directory that is excluded is still present when something below it is kept.
 */
bool ignore_match(const struct ignore *ig, struct slice path, size_t *line);

/*
 * Whether anything below a directory might be kept; false = it can be skipped without
 * reading it. May say true too often.
 */
bool ignore_may_contain(const struct ignore *ig, struct slice dir);

#endif
