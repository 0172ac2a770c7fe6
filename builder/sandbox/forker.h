/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that sandboxes are cloned from: a copy of bld made once per runner, without its large
 * memory, so that a clone costs the same however large bld has grown. (What fork copies are page
 * tables: 20 ms for 500 MB, and page faults in bld afterwards.)
 *
 * It shares the descriptors of bld, so what is opened later is there in a clone, and it clones with
 * CLONE_PARENT: sandboxes are children of the thread that started the forker, and die with it, as
 * the forker itself does. It sees nothing else of bld but its regions: shared memory in which plans
 * are built, each until the sandbox has ended.
 */
#ifndef BLD_BUILDER_SANDBOX_FORKER_H
#define BLD_BUILDER_SANDBOX_FORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/sandbox/cgroups.h"
#include "store/base/err.h"

#define FORKER_REGIONS 64 /* sandboxes at a time */
/* Of a region, in address space; it becomes memory where it is written to. The smaller one where
 * the kernel counts what is not used. */
#define FORKER_REGION_SIZE  ((size_t)32 << 20)
#define FORKER_REGION_SMALL ((size_t)2 << 20)

struct forker_talk;

struct forker {
	struct forker_talk *talk; /* shared with the process, and the regions behind it */
	pthread_mutex_t lock;
	bool used[FORKER_REGIONS];
	size_t size; /* of a region */
	pid_t pid;
	int pidfd;
};

struct forker_child {
	pid_t pid;
	int pidfd;
};

/* Map the memory. 0 / -1 */
int forker_init(struct forker *f, struct err **err);
/* Make the process, in the groups (those that refuse it are given up: cgroups_settle); by the
 * thread that sandboxes are to die with. 0 / an errno, also when it is there and not in its groups
 */
int forker_start(struct forker *f, struct cgroups *groups);
/* End the process. All sandboxes have ended. */
void forker_clear(struct forker *f);

/* Memory of f->size bytes, all zero, at the same address in clones; NULL: all are taken.
 */
void *forker_take_region(struct forker *f);
/* written: how much of it was written to; that is wiped. */
void forker_return_region(struct forker *f, void *region, size_t written);

/* Clone a child that calls run(arg), arg in a region. From any thread, one after the other.
 * 0 / -1 errno */
int forker_clone(struct forker *f, void (*run)(void *arg), void *arg, uint64_t flags,
	struct forker_child *out);

#endif
