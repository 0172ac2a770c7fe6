/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sandboxes share. PR_SET_PDEATHSIG is about the thread that made the child, so the forker is
 * made by one that lives as long as the runner, not by whichever worker asks.
 */
#ifndef BLD_BUILDER_SANDBOX_RUNNER_H
#define BLD_BUILDER_SANDBOX_RUNNER_H

#include <stdatomic.h>

#include "builder/sandbox/cgroups.h"
#include "builder/sandbox/forker.h"
#include "builder/sandbox/erofsmounts.h"
#include "builder/sandbox/init.h"
#include "builder/sandbox/probe.h"
#include "builder/sandbox/seccomp.h"
#include "builder/sandbox/spec.h"

struct sandbox_job;
struct sandbox_runner;

/* What sandboxes share; constant while the runner lives. */
struct runner_facts {
	struct probe probe;
	struct sandbox_seccomp filter;
	int pid1; /* pid1_program() */
	struct cgroups groups;
};

const struct runner_facts *runner_facts(const struct sandbox_runner *r);
struct erofsmounts *runner_erofsmounts(struct sandbox_runner *r);
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
	struct forker_child child; /* PID 1: what it dies of ends all the others */
	bool dead;                 /* reaped, and everything of the sandbox before it */
	struct init_plan *region;  /* of the sandbox; NULL = the caller returns it */
	int ctl;
	int root;       /* the root, or -1; it keeps the overlay when the namespace has ended */
	size_t nparent; /* stubs of the region whose parent is a descriptor of bld's */
	int command;    /* pidfd of the command's process, or -1 */
	pid_t command_pid;
	int exec_errno; /* the command could not be executed */
	bool freeze;
	atomic_bool killed;            /* by sandbox_signal() */
	unsigned long long oom_before; /* kills by the kernel when it started */
	uint64_t pids_before;          /* processes that the limit refused by then */
};

/* Kill and reap. */
void runner_kill_job(struct sandbox_job *job);
/* Close what was held for the end of the sandbox. */
void runner_let_go(struct sandbox_job *job);
/* Kill, reap and free. */
void runner_end_job(struct sandbox_job *take_job);
/* The directory of sandbox_give_skeleton(), or -1; borrowed. */
int runner_skeleton(struct sandbox_runner *r);

#endif
