/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several targets of one build: the stages that they share are built once, each target is an image
 * (or an index) of its own with names of its own. The last one is the main one; the others are
 * `more_targets` of the options, in their order.
 */
#ifndef BLD_BUILDER_TARGETS_H
#define BLD_BUILDER_TARGETS_H

#include "builder/image/result.h"
#include "builder/job.h"

/* How many there are, the main one included. */
size_t targets_count(const struct build_opts *o);
/* As it was given; NULL: the last stage. */
const char *targets_name(const struct build_opts *o, size_t i);
/* Its names, as given, put into the empty list. */
void targets_tags(const struct build_opts *o, size_t i, struct strlist *out);
/* Write all images of a build whose stages are complete. *out stays empty on errors. */
int targets_write(struct job *j, struct build_result *out, struct err **err);
/* An empty result with a place for each target, and that place; borrowed. */
void targets_prepare(const struct build_opts *o, struct build_result *r);
struct build_result *targets_result(struct build_result *r, size_t i);

#endif
