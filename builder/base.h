/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a stage starts: scratch, an image (pulled when it is not in the store), an earlier stage, a
 * named context.
 */
#ifndef BLD_BUILDER_BASE_H
#define BLD_BUILDER_BASE_H

#include "builder/job.h"

/* Fill an uninitialised state for stage `index`. The key is that of the base. Errors point at the
 * FROM line. */
int base_open(struct job *j, size_t index, struct state *out, struct err **err);

/* The ONBUILD triggers of a stage's base when that is an image; no others. Pulls it, maybe. */
int base_triggers(struct job *j, size_t index, struct strlist *out, struct err **err);

/* An image as a state: from the store, or pulled. platform NULL = the build's. */
int base_image(struct job *j, const char *name, const struct oci_platform *platform,
	struct state *out, struct err **err);

#endif
