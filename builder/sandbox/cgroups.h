/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control group of a build: the device nodes that its commands may open, and how many processes
 * they may be. The forker joins it, so every sandbox begins in it, at no cost for the single one.
 *
 * It lies below the group that bld runs in, so that what limits bld limits its commands. Version 1
 * and version 2, also mixed: the hierarchy that /proc/self/cgroup names is mounted once more, seen
 * by nobody else, so it does not matter what is mounted below /sys/fs/cgroup. A command cannot
 * reach the group: it cannot mount, and where /sys/fs/cgroup shows it, it is read-only.
 *
 * The name is locked (flock) while bld lives. The groups of those that were killed are without a
 * lock and without processes; the next one removes them.
 */
#ifndef BLD_BUILDER_SANDBOX_CGROUPS_H
#define BLD_BUILDER_SANDBOX_CGROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"

#define CGROUP_NAME_SIZE 24

enum cgroup_part { CGROUP_DEVICES, CGROUP_PIDS, CGROUP_PARTS };

struct cgroup_part_state {
	int parent; /* the group of bld in that hierarchy, locked by nobody; -1 = none */
	int dir;    /* the group of the build, locked; -1 = none, and why */
	int join;   /* v1: "tasks" of it, to write "0" to */
	char name[CGROUP_NAME_SIZE];
	bool unified;
	const char *why; /* it is missing; static */
	int failed;      /* an errno that says nothing about what the kernel has, or 0 */
};

struct cgroups {
	struct cgroup_part_state part[CGROUP_PARTS];
	int into;   /* v2: the group to be cloned into, or -1 */
	int leave;  /* where an insecure command goes to be free of the list of devices, or -1 */
	int events; /* pids.events, or -1 */
};

/* Nothing is open: cgroups_close() may be called. */
void cgroups_init(struct cgroups *g);
/* Make what can be had, and remove what others left. 0, also where there is nothing; -1: it cannot
 * be told now what can be had (no memory, no descriptors), and nothing is open. */
int cgroups_open(struct cgroups *g, struct err **err);
/* After the last process in it has ended. */
void cgroups_close(struct cgroups *g);

/* Of each part that is there: 0 = the process is in it, or an errno. */
struct cgroups_joined {
	int error[CGROUP_PARTS];
};

/* In the forker: join what is not joined yet. `into` is 0 when it was cloned into g->into, or what
 * was wrong with that. No libc (ops.h). */
void cgroups_join(const struct cgroups *g, int into, struct cgroups_joined *out);
/* Whether a machine may be so that no process can ever be moved into a group: then there is none to
 * be had. Any other error is about this moment, and nothing may run without its group for it. */
bool cgroups_refused(int error);
/* Give up the parts that refuse to be joined. 0, or the errno of one that was not joined for
 * another reason. */
int cgroups_settle(struct cgroups *g, const struct cgroups_joined *joined);

/* Whether cgroups_settle() failed. */
static inline bool cgroups_failed(const struct cgroups *g)
{
	return g->part[CGROUP_DEVICES].failed || g->part[CGROUP_PIDS].failed;
}
/* Whether only harmless device nodes can be opened in it. */
static inline bool cgroups_guard_devices(const struct cgroups *g)
{
	return g->part[CGROUP_DEVICES].dir >= 0;
}
/* How often the limit of processes refused one so far; 0 where there is no limit. */
uint64_t cgroups_pids_refused(const struct cgroups *g);

/* "yes (control group, version 1)", "no (why)"; to be freed. */
char *cgroups_describe(const struct cgroups *g, enum cgroup_part part);

#endif
