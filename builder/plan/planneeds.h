/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which stages of a plan are built: the targets, what those start from and read, and so on.
 * Triggers count with the stage they run in, which is the one whose FROM line brings them: those of
 * a stage of the same file are found here; those of base images are handed in (latefrom.h), as
 * nothing is opened here.
 *
 * A stage can only need earlier ones. So one walk from the last stage to the first finds all, also
 * when it finds out on its way what a stage needs.
 */
#ifndef BLD_BUILDER_PLAN_PLANNEEDS_H
#define BLD_BUILDER_PLAN_PLANNEEDS_H

#include "builder/plan/plan.h"

/* While the plan is made: check every from= of the file, and mark what the targets need. What a
 * stage has wrong that only matters when it is built (ast_stage.mistaken, plan_stage.ahead) is an
 * error when it is needed. */
int planneeds_make(struct plan *p, const struct dockerfile *df, const struct strlist *context_names,
	struct err **err);

/* What a needed stage needs is needed: the step of a walk from the last stage to the first. */
int planneeds_spread(struct plan *p, const struct dockerfile *df,
	const struct strlist *context_names, size_t stage, struct err **err);

/*
 * A trigger is going to run in stage `self`. df: where it stands. A from= word with a variable, the
 * value of which only the run of the trigger can tell, stands for all earlier stages.
 */
int planneeds_trigger(struct plan *p, const struct dockerfile *df,
	const struct strlist *context_names, size_t self, const struct ast_instruction *trigger,
	struct err **err);

/* Numbers of steps, anew. */
void planneeds_number(struct plan *p);

/* "a -> b -> a" when `from`, a later stage, needs `self`; NULL when it does not. Owned by the
 * caller. */
char *planneeds_cycle(const struct plan *p, size_t self, size_t from);

#endif
