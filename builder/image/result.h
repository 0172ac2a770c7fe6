/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the target stage's state to an image in the store: labels of the command line, times,
 * descriptors, config and manifest, names.
 */
#ifndef BLD_BUILDER_IMAGE_RESULT_H
#define BLD_BUILDER_IMAGE_RESULT_H

#include "builder/job.h"

/* tags: its names as given. Fills fields of *out that are empty. */
int result_write(struct job *j, const struct state *target, const struct strlist *tags,
	struct build_result *out, struct err **err);

#endif
