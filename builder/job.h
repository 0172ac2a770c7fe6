/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One `bld build` in progress: the file, its plan, and the stages as far as they have come, round
 * the session that their steps share. Owned by build.c; borrowed by what has to look beyond its own
 * stage (FROM, COPY --from, reasons, lint).
 *
 * A stage's state belongs to the thread that builds it until the stage is complete, and is constant
 * afterwards, but for its tree, which has a lock; how far a stage is stands behind the lock of
 * session.stop.
 */
#ifndef BLD_BUILDER_JOB_H
#define BLD_BUILDER_JOB_H

#include "builder/input/context.h"
#include "builder/plan/plan.h"
#include "builder/session.h"
#include "builder/state.h"
#include "builder/step.h"

struct explain;
struct lintfile_base;
struct origin_cache;

struct job {
	struct session session;
	struct dockerfile *df; /* owned */
	struct context_set contexts;
	struct plan plan;
	struct state *stages; /* owned; one per stage of the plan, filled as they are built */
	struct lintfile_base *bases; /* owned; what lint may know of them, likewise */
	struct job_stage *progress;  /* owned; one per stage of the plan */
	struct explain *explain;     /* of build.c */
	struct origin_cache
		*origins; /* of build.c: images of COPY --from, with a lock of its own */
};

enum job_phase { JOB_WAITS, JOB_RUNS, JOB_DONE, JOB_FAILED };

/* How far a stage is; behind the lock of session.stop. */
struct job_stage {
	enum job_phase phase;
	bool opened;        /* its base is known, and with it the number of triggers */
	unsigned ntriggers; /* ONBUILD instructions of its base */
	struct err *err;    /* of JOB_FAILED; owned */
};

void job_init(struct job *j, const struct build_opts *o, struct store *s);
void job_clear(struct job *j);

/* Is this stage to be built again, whatever the cache holds? */
bool job_no_cache(const struct job *j, size_t stage);
size_t job_needed(const struct job *j); /* number of stages that are built */
/* An instruction of the stage. */
struct step job_step(struct job *j, size_t stage, const struct dockerfile *df,
	const struct ast_instruction *ins, unsigned number);

#endif
