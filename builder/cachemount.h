/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of RUN --mount=type=cache: bld/mounts/HEX in the store, HEX from the id and what
 * shapes a new one, never the id itself. They outlive builds; `prune --all` removes them.
 */
#ifndef BLD_BUILDER_CACHEMOUNT_H
#define BLD_BUILDER_CACHEMOUNT_H

#include "builder/copy/copy.h"
#include "builder/job.h"

#define CACHEMOUNT_INSTANCES_MAX 64 /* of one id with sharing=private */

enum cachemount_sharing { CACHEMOUNT_SHARED, CACHEMOUNT_PRIVATE, CACHEMOUNT_LOCKED };

struct cachemount {
	const char *id;
	enum cachemount_sharing sharing;
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
	const struct copy_root *seed; /* first content, or NULL */
	const char *seed_path;
	const struct digest *seed_key; /* or NULL */
};

/* Opens (makes) the directory: O_PATH-less directory fd. *lock_fd holds it for PRIVATE and LOCKED
 * (waits when locked), else -1; both owned by the caller. */
int cachemount_open(struct job *j, const struct cachemount *c, int *lock_fd, struct err **err);

#endif
