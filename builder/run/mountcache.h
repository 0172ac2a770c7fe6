/* SPDX-License-Identifier: Apache-2.0 */
/* RUN --mount=type=cache: directories of the store (cachemount.h) as mounts of a step. */
#ifndef BLD_BUILDER_RUN_MOUNTCACHE_H
#define BLD_BUILDER_RUN_MOUNTCACHE_H

#include "builder/run/runmount.h"

#define MOUNTCACHE_MODE 0755 /* of a new one, without mode= */

/* from=: what a new one begins with. Errors are located. */
int mountcache_find(struct job *j, const struct step *sp, struct runmount *m, struct err **err);
/* Sets source_fd and, of those that are locked or private, lock_fd of every cache mount of the RUN,
 * in the order of their names, whatever the order of the mounts. Errors are located. */
int mountcache_open_all(
	struct job *j, const struct step *sp, struct runmounts *r, struct err **err);

#endif
