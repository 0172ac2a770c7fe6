/* SPDX-License-Identifier: Apache-2.0 */
/* --target and --tag: what is built, under which names. */
#ifndef BLD_BUILDER_CLI_BUILDTARGETS_H
#define BLD_BUILDER_CLI_BUILDTARGETS_H

#include "builder/cli/buildopts.h"

/* Fill the targets and their names; mistakes in names are found before anything is built.
 * ERR_USAGE. */
int buildtargets_take(const struct buildopts *o, struct build_opts *b, struct err **err);

#endif
