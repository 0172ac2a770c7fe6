/* SPDX-License-Identifier: Apache-2.0 */
/* RUN --mount=: comma-separated options to a typed node. Private to parser/. */
#ifndef BLD_PARSER_MOUNT_H
#define BLD_PARSER_MOUNT_H

#include <stdbool.h>

#include "parser/ast.h"
#include "parser/build.h"
#include "parser/flags.h"

/* False when the mount is of no use; every mistake is reported. */
bool mount_parse(struct build *b, const struct flags_item *flag, struct ast_mount *out);

#endif
