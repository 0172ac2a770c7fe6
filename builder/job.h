/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One `bld build` in progress: what its steps share. Owned by build.c; steps borrow it. Everything
 * a step decides on is in here, in its instruction and in its stage's state: no step reads options
 * of the process or the environment.
 *
 * Stages may be built by several threads at a time (stages.h). What is made before the first stage
 * starts is constant from then on; a stage's state belongs to the thread that builds it until the
 * stage is complete, and is constant afterwards, but for its tree, which has a lock; everything
 * else that changes is behind `lock` and functions of job.h, stages.h and origin.h.
 */
#ifndef BLD_BUILDER_JOB_H
#define BLD_BUILDER_JOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "builder/build.h"
#include "builder/input/context.h"
#include "builder/lint/lintfile.h"
#include "builder/plan/plan.h"
#include "builder/sandbox/sandbox.h"
#include "builder/secrets/secrets.h"
#include "builder/secrets/sshagent.h"
#include "builder/state.h"
#include "store/base/cancel.h"

struct job {
	const struct build_opts *o;
	struct store *s;
	struct dockerfile *df; /* owned */
	struct context_set contexts;
	struct secrets secrets;
	struct sshagents agents;
	struct strlist build_args; /* of the options, see epoch.h */
	struct build_times times;
	struct budget budget; /* of what variables become in all stages */
	struct plan plan;
	struct oci_platform platform;
	struct state *stages; /* owned; one per stage of the plan, filled as they are built */
	struct lintfile_base *bases;  /* owned; what lint may know of them, likewise */
	struct explain *explain;      /* owned */
	struct origin_cache *origins; /* images of COPY --from, with a lock of its own; owned */

	pthread_mutex_t emitting;      /* one event at a time */
	pthread_mutex_t lock;          /* guards what follows */
	pthread_cond_t changed;        /* a stage came forward, or the build is to stop */
	struct job_stage *progress;    /* owned; one per stage of the plan */
	struct sandbox_runner *runner; /* started by the first RUN; owned */
	struct strlist used_args;      /* names of --build-arg that an ARG took */
	struct strlist begun_mounts;   /* cache mounts that --no-cache began anew (cachemount.h) */
	unsigned nsteps;               /* grows when a base image brings triggers */
	unsigned nstatuses;            /* numbers given to statuses */
	bool parallel;                 /* stages are built by threads of their own */
	/* Not 0: a signal came, or another stage failed. Also read without the lock, by those who
	 * poll it (job_cancelled): job_stop_get() and job_stop_set() only. */
	atomic_int stop;
};

static inline int job_stop_get(const struct job *j)
{
	return cancel_asked(&j->stop);
}

static inline void job_stop_set(struct job *j, int value)
{
	atomic_store_explicit(&j->stop, value, memory_order_relaxed);
}

enum job_phase { JOB_WAITS, JOB_RUNS, JOB_DONE, JOB_FAILED };

/* How far a stage is; behind the job's lock. */
struct job_stage {
	enum job_phase phase;
	bool opened;        /* its base is known, and with it the number of triggers */
	unsigned ntriggers; /* ONBUILD instructions of its base */
	struct err *err;    /* of JOB_FAILED; owned */
};

#define JOB_STOP_FAILURE (-1) /* value of stop when no signal came */

void job_init(struct job *j, const struct build_opts *o, struct store *s);
void job_clear(struct job *j);

/* One instruction with the text it stands in (a trigger of a base image is a text of its own). */
struct step {
	const struct dockerfile *df;
	const struct ast_instruction *ins;
	struct state *st;
	size_t stage; /* index in the plan */
	unsigned number;
};

/* Is this stage to be built again, whatever the cache holds? */
bool job_no_cache(const struct job *j, size_t stage);
/* Do its cache mounts begin empty? */
bool job_fresh_mounts(const struct job *j, size_t stage);
/* What work of a stage that takes long polls: not 0 once it is to end. */
const atomic_int *job_cancelled(const struct job *j);
/* The runner of sandboxes, made by the first one who asks; borrowed. */
struct sandbox_runner *job_runner(struct job *j, struct err **err);
unsigned job_nsteps(struct job *j);
unsigned job_number(struct job *j); /* of a status (event.h), new at each call */
/* An ARG declared this name. */
void job_use_arg(struct job *j, const char *name);

/* Is this stage to end because another one failed? */
bool job_ended(const struct job *j);
/* Something failed behind the back of who is at work: everybody is to end. */
void job_stop(struct job *j);
/* Non-zero once a signal came, or another stage failed: ERR_CANCELLED is set and -1 returned. */
int job_check(const struct job *j, struct err **err);
/* A small pause of somebody who tries again and again; tells why the first time. As job_check. */
int job_wait(struct job *j, bool *told, const char *why, struct err **err);
void job_emit(struct job *j, const struct event *e);
/* The instruction as one printable line, shortened; owned by the caller. */
char *job_step_text(const struct step *sp);
size_t job_needed(const struct job *j); /* number of stages that are built */
const char *job_stage_title(
	const struct job *j, size_t stage); /* NULL when one stage is needed only */

#endif
