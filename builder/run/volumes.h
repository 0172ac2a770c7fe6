/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --compat-volumes: what a RUN did below a VOLUME that was declared before it is thrown away, as
 * docker's old builder does; COPY and ADD stay.
 */
#ifndef BLD_BUILDER_RUN_VOLUMES_H
#define BLD_BUILDER_RUN_VOLUMES_H

#include "builder/state.h"

/* Remove it from the upper directory of a step that is over (scratch_fd/upper). */
int volumes_discard(struct state *st, struct store *s, int scratch_fd, struct err **err);

#endif
