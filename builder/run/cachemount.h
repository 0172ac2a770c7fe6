/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of RUN --mount=type=cache: bld/mounts/HEX in the store, HEX from the id and what
 * shapes a new one, never the id itself. They outlive builds; `prune --all` removes them.
 *
 * A step that is built without the cache begins with an empty one: the first such step of a build
 * that opens a directory puts a new one in its place, for good, and those behind it share that.
 * Commands of other builds that are at work in the old one keep it: who has a directory open holds
 * a shared flock on it, and what is in use goes aside as HEX.old-N until a later build finds it
 * free.
 */
#ifndef BLD_BUILDER_RUN_CACHEMOUNT_H
#define BLD_BUILDER_RUN_CACHEMOUNT_H

#include "builder/copy/copy.h"
#include "builder/session.h"

#define CACHEMOUNT_INSTANCES_MAX 64 /* of one id with sharing=private */
#define CACHEMOUNT_OLD_MAX       64 /* replaced directories of one name that are still in use */

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
	bool anew;                     /* the step is built without the cache */
};

/* Which directory it is: two mounts of one name share it. */
void cachemount_name(const struct cachemount *c, char hex[DIGEST_HEX]);

/*
 * Opens (makes) the directory. *held keeps it for PRIVATE and LOCKED (another user of a locked one
 * is waited for, until the job is cancelled), else -1; both owned by the caller. Who opens several
 * locked ones does so in the order of their names, and each once, or two builds wait for each
 * other.
 */
int cachemount_open(struct session *se, const struct cachemount *c, int *held, struct err **err);

#define CACHEMOUNT_DEPTH_MAX 1000 /* directories in each other that cachemount_give goes down */

/* Everything in an opened one, and the directory itself, becomes the user's. By descriptor, and no
 * link is followed: commands of other builds may be at work there. */
int cachemount_give(int dir_fd, uint32_t uid, uint32_t gid, struct err **err);

#endif
