/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One `bld build` in progress: what its steps share. Owned by build.c; steps borrow it. Everything
 * a step decides on is in here, in its instruction and in its stage's state: no step reads options
 * of the process or the environment.
 */
#ifndef BLD_BUILDER_JOB_H
#define BLD_BUILDER_JOB_H

#include "builder/build.h"
#include "builder/context.h"
#include "builder/plan.h"
#include "builder/sandbox/sandbox.h"
#include "builder/secrets.h"
#include "builder/state.h"

struct job {
	const struct build_opts *o;
	struct store *s;
	struct dockerfile *df; /* owned */
	struct context_set contexts;
	struct secrets secrets;
	struct plan plan;
	struct oci_platform platform;
	struct state *stages; /* owned; one per stage of the plan, filled as they are built */
	struct origin_cache *origins;  /* images of COPY --from; owned */
	struct sandbox_runner *runner; /* started by the first RUN; owned */
	struct strlist used_args;      /* names of --build-arg that an ARG took */
	unsigned step;                 /* last number given */
	unsigned nsteps;
};

/* One instruction with the text it stands in (a trigger of a base image is a text of its own). */
struct step {
	const struct dockerfile *df;
	const struct ast_instruction *ins;
	struct state *st;
	size_t stage; /* index in the plan */
	unsigned number;
};

/* Non-zero once a signal came: ERR_CANCELLED is set and -1 returned. */
int job_check(const struct job *j, struct err **err);
/* A small pause of somebody who tries again and again; tells why the first time. As job_check. */
int job_wait(const struct job *j, bool *told, const char *why, struct err **err);
void job_emit(const struct job *j, const struct event *e);
/* The instruction as one printable line, shortened; owned by the caller. */
char *job_step_text(const struct step *sp);
const char *job_stage_title(
	const struct job *j, size_t stage); /* NULL when one stage is needed only */

#endif
