/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: arguments, environment, user, mounts -> key; on a miss a sandbox, whose upper becomes the
 * layer. */
#ifndef BLD_BUILDER_RUN_RUNSTEP_H
#define BLD_BUILDER_RUN_RUNSTEP_H

#include "builder/job.h"

int runstep_run(struct job *j, const struct step *sp, struct err **err);

#endif
