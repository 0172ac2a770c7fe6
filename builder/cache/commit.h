/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step's result becomes a layer: entries or an overlay upper -> plain tar blob -> record, and the
 * layer goes on the stage.
 */
#ifndef BLD_BUILDER_CACHE_COMMIT_H
#define BLD_BUILDER_CACHE_COMMIT_H

#include "builder/cache/flight.h"
#include "builder/cache/record.h"
#include "builder/copy/copy.h"
#include "builder/session.h"
#include "builder/state.h"
#include "builder/secrets/leakcheck.h"
#include "store/tar/list.h"
#include "store/tar/write.h"

/* Write the list as a layer blob. */
int commit_list(struct store *s, struct layer_list *l, struct record *out, struct err **err);
/* The same of placed files; once. */
int commit_copy(struct store *s, struct copy_placed *p, struct record *out, struct err **err);
struct commit_upper {
	struct session *se;
	struct state *st;
	struct flight *flight;
	int scratch_fd;         /* the sandbox's scratch directory */
	const char *temp;       /* its name in the store's tmp */
	struct leakcheck *leak; /* looks for secrets in the layer, or NULL */
	bool taken;             /* set when it is no longer the caller's */
};
/*
 * Freeze the upper directory of a sandbox over the stage's layers, and keep it as the directory
 * form of the new layer, on which the next step can start at once. out->times is known in any case.
 * A small one is done when this returns 0; of a large one (FLIGHT_LATER) the rest is left to the
 * stage's background thread. With a leakcheck all of it is done now, and nothing is kept when it
 * found something: ERR_BUILD, not located yet.
 */
int commit_upper(struct commit_upper *c, struct record *out, struct err **err);
/* Put the layer on the stage: diff ID and times, history entry, key of the step. */
void commit_to_state(
	struct state *st, const struct record *r, const struct digest *key, const char *created_by);

#endif
