/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COPY --from and RUN --mount from= in ONBUILD triggers of base images (S17). They mean stages of
 * the file that is built, of which the plan has not seen that they are needed. So before the first
 * stage starts, the triggers of the base images are read, but only where one could name a stage
 * that nobody else needs: otherwise the images are pulled while other stages are at work.
 */
#ifndef BLD_BUILDER_LATEFROM_H
#define BLD_BUILDER_LATEFROM_H

#include "builder/job.h"

/* Complete the plan. A stage that cannot be named is an error in the trigger. */
int latefrom_find(struct job *j, struct err **err);

/* A trigger of an image as a text of its own; owned by the caller. */
struct dockerfile *latefrom_parse(const char *trigger);

#endif
