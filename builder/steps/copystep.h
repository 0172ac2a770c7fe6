/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COPY and ADD. Two looks at the cache for COPY --from: first by the source stage's key and the
 * paths, with nothing read, then by the content of the selected files.
 */
#ifndef BLD_BUILDER_STEPS_COPYSTEP_H
#define BLD_BUILDER_STEPS_COPYSTEP_H

#include "builder/job.h"

int copystep_copy(struct job *j, const struct step *sp, struct err **err);

#endif
