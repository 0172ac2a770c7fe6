/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of `bld build` that exist because scripts made for docker and buildah give them: other
 * words for --platform, and what is only accepted when it asks for nothing.
 */
#ifndef BLD_BUILDER_CLI_BUILDCOMPAT_H
#define BLD_BUILDER_CLI_BUILDCOMPAT_H

#include "builder/cli/buildopts.h"

/* --os, --arch and --variant as a platform; what is not given is this machine's. *out is owned by
 * the caller, NULL when none of them is given. ERR_USAGE beside --platform. */
int buildcompat_platform(const struct buildopts *o, char **out, struct err **err);
/* Attestations are refused, switched off they are nothing; likewise what does not go together.
 * ERR_USAGE. */
int buildcompat_check(const struct buildopts *o, struct err **err);

#endif
