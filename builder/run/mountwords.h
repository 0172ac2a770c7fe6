/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One RUN --mount and its words: options are expanded with the variables of the stage and checked,
 * as far as that needs nothing opened. Rules: S18.
 */
#ifndef BLD_BUILDER_RUN_MOUNTWORDS_H
#define BLD_BUILDER_RUN_MOUNTWORDS_H

#include "builder/run/runmount.h"

/* Fills in what options say; m->ast is set. seen: how many mounts of each type the RUN has before
 * this one, which is counted on. Errors are located. */
int mountwords_expand(
	const struct step *sp, struct runmount *m, size_t seen[AST_MOUNT_TYPES], struct err **err);

#endif
