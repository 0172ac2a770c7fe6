/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --no-cache-filter: which stages are built again. Those that are named, and what stands on them:
 * a stage that is FROM one has steps with the same keys on top of other content. A COPY --from one,
 * and a RUN that mounts one, are found by the content that they read (origin.h).
 */
#ifndef BLD_BUILDER_NOCACHE_H
#define BLD_BUILDER_NOCACHE_H

#include "builder/job.h"

/* Mark them in the plan, which is complete. ERR_USAGE for a name that no stage has. */
int nocache_mark(struct job *j, struct err **err);

#endif
