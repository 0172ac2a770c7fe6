/* SPDX-License-Identifier: Apache-2.0 */
/* --target and --tag: what is built, under which names. */
#ifndef BLD_BUILDER_CLI_BUILDTARGETS_H
#define BLD_BUILDER_CLI_BUILDTARGETS_H

#include "builder/cli/buildopts.h"

/* Fill target, more_targets, tags and more_tags; mistakes in names are found before anything is
 * built. ERR_USAGE. */
int buildtargets_take(const struct buildopts *o, struct build_opts *b, struct err **err);

#endif
