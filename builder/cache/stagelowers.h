/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lowers that a stage keeps open from step to step (state.lowers).
 */
#ifndef BLD_BUILDER_CACHE_STAGELOWERS_H
#define BLD_BUILDER_CACHE_STAGELOWERS_H

#include "builder/session.h"
#include "builder/state.h"

/* All of them. Those of layers that are new are looked for, which needs all diff IDs unless
 * stagelowers_keep_up has been called. */
int stagelowers_find(struct session *se, struct state *st, struct err **err);

/*
 * A layer was added by something else than RUN. While layers below it are still being written their
 * chain IDs are not known and nothing of the stack can be found in the store; so its lower is made
 * here, as long as the tree is that of the layers below, and the next RUN need not wait. Does
 * nothing when all is settled or when it cannot be done.
 */
int stagelowers_keep_up(struct session *se, struct state *st, struct err **err);

#endif
