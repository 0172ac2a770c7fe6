/* SPDX-License-Identifier: Apache-2.0 */
/* --build-arg, --build-arg-file and --env: pairs from the command line. */
#ifndef BLD_BUILDER_CLI_BUILDARGS_H
#define BLD_BUILDER_CLI_BUILDARGS_H

#include "store/base/err.h"
#include "store/base/strlist.h"

#define BUILDARGS_FILE_MAX ((size_t)1 << 20) /* bytes of a --build-arg-file */

/* "K=V" as it is, "K" as "K=value of $K", or nothing when that is not set; of one name the last one
 * counts. option: for messages. ERR_USAGE. */
int buildargs_take(const char *option, const char *arg, struct strlist *out, struct err **err);
/* The same of files, a line each; empty lines and those that begin with # say nothing. Blanks in
 * front of a name and a carriage return behind a value are no part of them. ERR_CONTEXT; ERR_USAGE
 * with file and line. */
int buildargs_files(const struct strlist *files, struct strlist *out, struct err **err);

#endif
