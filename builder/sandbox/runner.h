/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sandboxes share. PR_SET_PDEATHSIG is about the thread that made the child, so the forker is
 * made by one that lives as long as the runner, not by whichever worker asks.
 */
#ifndef BLD_BUILDER_SANDBOX_RUNNER_H
#define BLD_BUILDER_SANDBOX_RUNNER_H

#include "builder/sandbox/cgroups.h"
#include "builder/sandbox/forker.h"
#include "builder/sandbox/indexes.h"
#include "builder/sandbox/init.h"
#include "builder/sandbox/probe.h"
#include "builder/sandbox/sandbox.h"
#include "builder/sandbox/seccomp.h"

/* What sandboxes share; constant while the runner lives. */
struct runner_facts {
	struct probe probe;
	struct sandbox_seccomp filter;
	int launcher; /* exec_launcher() */
	char *args;   /* where /proc/self/cmdline comes from, or NULL */
	size_t args_size;
	struct cgroups groups;
};

const struct runner_facts *runner_facts(const struct sandbox_runner *r);
struct indexes *runner_indexes(struct sandbox_runner *r);
struct forker *runner_forker(struct sandbox_runner *r);
/* For tests: another way to mount than the probe found. Before the first start. */
void runner_set_overlay(struct sandbox_runner *r, enum overlay_api api);

/* Children that are to be killed when the runner goes. */
void runner_add(struct sandbox_runner *r, struct sandbox_job *job);
void runner_remove(struct sandbox_runner *r, struct sandbox_job *job);

/* A sandbox that runs. */
struct sandbox_job {
	struct sandbox_runner *runner;
	struct sandbox_job *next;
	struct forker_child child;
	struct init_plan *region; /* the child's, while it lives; NULL = the caller returns it */
	int ctl;
	bool killed;                   /* by sandbox_signal() */
	unsigned long long oom_before; /* kills by the kernel when it started */
	uint64_t pids_before;          /* processes that the limit refused by then */
};

/* Kill, reap and free. */
void runner_end_job(struct sandbox_job *take_job);
/* The same for a child that has reported its end, later: it takes its time to go, and nobody needs
 * to wait for that. */
void runner_retire_job(struct sandbox_job *take_job);
/* Reap those that are gone by now; at each start, so that there are never many. */
void runner_reap_retired(struct sandbox_runner *r);
/* Wait for all of them. */
void runner_end_retired(struct sandbox_runner *r);
/* The directory of sandbox_give_floor(), or -1; borrowed. */
int runner_floor(struct sandbox_runner *r);

#endif
