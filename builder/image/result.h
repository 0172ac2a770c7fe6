/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the target stage's state to an image in the store: labels of the command line, times,
 * descriptors, config and manifest, names.
 */
#ifndef BLD_BUILDER_IMAGE_RESULT_H
#define BLD_BUILDER_IMAGE_RESULT_H

#include "builder/session.h"
#include "builder/state.h"

struct build_result {
	struct digest config;     /* image ID, --iidfile; of an index its digest */
	struct digest manifest;   /* as the store knows it; or that of the index */
	bool index;               /* several platforms were built */
	struct build_times times; /* those it was made with */
	struct strlist names;     /* full normalised names it was tagged with */
	char *target;             /* as given; only when there are several */
};

/* Of all targets, in their order. */
struct build_results {
	struct build_result *v; /* owned */
	size_t n;
};

void result_clear_all(struct build_results *r);

/* tags: its names as given. Fills fields of *out that are empty. */
int result_write(struct session *se, const struct state *target, const struct strlist *tags,
	struct build_result *out, struct err **err);

#endif
