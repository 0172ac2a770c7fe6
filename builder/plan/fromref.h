/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables in COPY --from= and RUN --mount from= (an extension; BuildKit takes such words as they
 * are written). What a stage needs must be known before anything is done, so these words are
 * expanded while the plan is made, with what the file and the command line say at that line: ARGs
 * of the stage with --build-arg, defaults and global ARGs, ENV, and the same of the stage it starts
 * from. Variables of a base image are not known then and count as not set. Words of a base image's
 * triggers, which no plan has seen, are expanded when they run.
 */
#ifndef BLD_BUILDER_PLAN_FROMREF_H
#define BLD_BUILDER_PLAN_FROMREF_H

#include "builder/plan/plan.h"

struct fromref_list; /* what the plan found; of struct plan */

/* Expand the words of all stages of a plan that has its bases; nothing is done when there is no $.
 * Errors are located. */
int fromref_make(
	struct plan *p, const struct dockerfile *df, const struct plan_opts *o, struct err **err);
void fromref_free(struct fromref_list *l);

/*
 * A from= word as it is to be resolved (plan_resolve_from), at its own place. The text is valid as
 * long as the plan and the scope are. scope: variables of now, for a word that the plan does not
 * know; NULL while the plan is made. An empty result is an error.
 */
int fromref_word(const struct plan *p, struct scope *scope, const struct dockerfile *df,
	const struct word *from, struct word *out, struct err **err);

#endif
