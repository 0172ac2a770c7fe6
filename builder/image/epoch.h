/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOURCE_DATE_EPOCH: the latest time that new layers, configuration and history may have. It is
 * given as an option or variable (those are read by the command line), or as an ARG in front of
 * the first FROM, which counts where neither says anything.
 *
 * Its value may be "context", as BuildKit has it: the time of the commit for a git repository,
 * Last-Modified for a URL, else the newest entry of an archive. A directory of the caller's has no
 * time that stays, so that nothing is set then.
 */
#ifndef BLD_BUILDER_IMAGE_EPOCH_H
#define BLD_BUILDER_IMAGE_EPOCH_H

#include "builder/input/context.h"
#include "builder/options.h"
#include "builder/plan/plan.h"

#define EPOCH_ARG     "SOURCE_DATE_EPOCH"
#define EPOCH_CONTEXT "context"

/* Build arguments with "context" replaced, of options and of the file: a number where there is a
 * time, no argument where there is none. */
void epoch_arguments(const struct dockerfile *df, const struct context *c,
	const struct strlist *given, struct strlist *out);

/* The times of a build, from its options, else from the global ARG. ERR_SYNTAX with the place of an
 * ARG that is no number. args: of epoch_arguments(). */
int epoch_times(const struct build_opts *o, const struct dockerfile *df, const struct plan *p,
	const struct strlist *args, struct build_times *out, struct err **err);

#endif
