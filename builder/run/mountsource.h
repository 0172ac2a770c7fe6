/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount reads of stages, images and contexts, and how a bind mount shows it. */
#ifndef BLD_BUILDER_RUN_MOUNTSOURCE_H
#define BLD_BUILDER_RUN_MOUNTSOURCE_H

#include "builder/run/runmount.h"

/* Fills in m->origin and a source that was not written. Errors are located. */
int mountsource_find(struct job *j, const struct step *sp, struct runmount *m, struct err **err);
/* The same; and m->layer, of what comes from a context. */
int mountsource_find_bind(
	struct job *j, const struct step *sp, struct runmount *m, struct err **err);
/* A missing path is a mistake in the Dockerfile, found before the sandbox would trip over it; for
 * what comes from a stage or an image. Errors are not located yet. */
int mountsource_check(struct job *j, const struct runmount *m, struct err **err);
int mountsource_open_bind(
	struct job *j, struct runmount *m, struct sandbox_mount *out, struct err **err);

#endif
