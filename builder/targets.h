/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several targets of one build: the stages that they share are built once, each target is an image
 * (or an index) of its own with names of its own.
 */
#ifndef BLD_BUILDER_TARGETS_H
#define BLD_BUILDER_TARGETS_H

#include "builder/image/result.h"
#include "builder/job.h"

/* The one whose result is the result where only one counts. */
const struct build_target *targets_main(const struct build_opts *o);
/* Their stages, for plan_opts; the array is the caller's, the texts are borrowed. */
const char **targets_stages(const struct build_opts *o);
/* The same targets without names, as the images of one platform have none; the array is the
 * caller's. */
struct build_target *targets_unnamed(const struct build_opts *o);
/* An empty result for each target. */
struct build_results targets_results(const struct build_opts *o);
/* Write all images of a build whose stages are complete. *out stays empty on errors. */
int targets_write(struct job *j, struct build_results *out, struct err **err);

#endif
