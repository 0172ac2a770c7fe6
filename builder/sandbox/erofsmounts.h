/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EROFS images as lowers: mounted once per image file, detached, and kept by the runner, so that
 * all RUN steps share one superblock and its page cache. A detached mount is in no mount namespace:
 * it ends with its descriptor, however bld dies.
 *
 * Linux before 6.15 makes no overlay of detached mounts. There each sandbox gets mounts of its own,
 * and its child attaches them in the mount namespace of the sandbox first.
 *
 * Only files that this store wrote get here: the kernel is never asked to read a foreign image.
 */
#ifndef BLD_BUILDER_SANDBOX_EROFSMOUNTS_H
#define BLD_BUILDER_SANDBOX_EROFSMOUNTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"
#include "store/lower.h"

#define EROFSMOUNTS_MAX 512 /* mounts that are kept; the one unused for longest goes */

struct erofsmounts_mount;

/* Safe for use by several threads. */
struct erofsmounts {
	pthread_mutex_t lock;
	enum { EROFSMOUNTS_UNKNOWN, EROFSMOUNTS_TAKEN, EROFSMOUNTS_REFUSED } state;
	enum { EROFSMOUNTS_UNPROBED, EROFSMOUNTS_DETACHED, EROFSMOUNTS_ATTACHED } lowers;
	struct erofsmounts_mount *v; /* owned */
	size_t n, cap;
	uint64_t clock; /* of use */
};

void erofsmounts_init(struct erofsmounts *x);
void erofsmounts_clear(struct erofsmounts *x);

/* 0: as far as can be told without a mount, this kernel takes them; 1: it does not, and *why says
 * why (static); -1 errno: it cannot be told now. */
int erofsmounts_obstacle(const char **why);
/* By release number: older than file-backed mounts, one of those that panic, or not understood. */
bool erofsmounts_release_is_safe(const char *release);

/* What erofsmounts_obstacle() says, asked once; and no mount was refused since. True as well where
 * it could not tell: erofsmounts_try() asks again, and has the error. */
bool erofsmounts_taken(struct erofsmounts *x);
/* Mount what is not mounted yet. 1 all are; 0 refused, for good; -1 */
int erofsmounts_try(struct erofsmounts *x, const struct lower *v, size_t n, struct err **err);
/* A mount as overlays take it, owned by the caller, or -1. *attach: it must be attached in the
 * mount namespace that makes the overlay. */
int erofsmounts_get(struct erofsmounts *x, const struct lower *l, bool *attach, struct err **err);
/* For tests: as on a kernel that makes no overlay of detached mounts. */
void erofsmounts_force_attached(struct erofsmounts *x);

#endif
