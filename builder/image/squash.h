/* SPDX-License-Identifier: Apache-2.0 */
/* --squash: the layers of a build become one on top of those of its base. */
#ifndef BLD_BUILDER_IMAGE_SQUASH_H
#define BLD_BUILDER_IMAGE_SQUASH_H

#include "builder/state.h"

/*
 * The layers behind the first nbase of c become one, in the store, with a history entry of its own
 * behind those of the steps, which are marked empty. Nothing changes when there are less than two;
 * when all of them together change nothing, none is left.
 */
int squash_layers(struct store *s, struct oci_config *c, size_t nbase, size_t nbase_history,
	struct err **err);

#endif
