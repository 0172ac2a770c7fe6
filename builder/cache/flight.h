/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file-system step through the cache: look up, else take the key's lock (another build of the
 * same store may be doing this step: then wait and look again), do it, remember it. Emits the
 * step's events.
 */
#ifndef BLD_BUILDER_CACHE_FLIGHT_H
#define BLD_BUILDER_CACHE_FLIGHT_H

#include "builder/cache/record.h"
#include "builder/session.h"
#include "builder/step.h"

/* execute's answer when somebody else brings the step to its end, by flight_land. */
#define FLIGHT_LATER 1

struct flight {
	struct session *se;
	const struct step *sp;
	const struct digest *key;  /* with flight_blind: filled in by execute */
	const struct digest *also; /* or NULL: a second way to the step, of flight_run: the record
				      is put there too, and names `key` */
	/* Do the step: fill *out. ctx is the caller's. 0, FLIGHT_LATER, -1. */
	int (*execute)(void *ctx, struct record *out, struct err **err);
	void *ctx;
	/* of a step that is being done: */
	int lock;
	uint64_t start_ms;
};

/* What is left to do of a step whose layer is not there yet. */
struct flight_rest {
	struct session *se;
	struct step step;
	struct digest key;
	struct digest also; /* zero: none */
	int lock;           /* owned */
	uint64_t start_ms;
};

/* 1 the step is in the cache (and CACHED was emitted), 0 it is not, -1. */
int flight_lookup(const struct flight *f, struct record *out, struct err **err);
/* Look up and execute when it is missing. 0, FLIGHT_LATER (the layer is not in *out), -1. */
int flight_run(struct flight *f, struct record *out, struct err **err);
/* For an execute that is going to return FLIGHT_LATER. */
void flight_leave(struct flight *f, struct flight_rest *out);
/* The step is done, or failed with *err when done is -1: record, event, unlock. 0 / -1. In any
 * thread. */
int flight_land(struct flight_rest *take, const struct record *r, int done, struct err **err);
/*
 * Execute a step whose key is not known before, because it is known that none of its shape was
 * done: one at a time of that shape. `seen` (1, 0, -1) is asked again when it is our turn: if
 * somebody did one meanwhile nothing is executed and 0 comes back. 1: done.
 */
int flight_blind(struct flight *f, const struct digest *shape,
	int (*seen)(void *ctx, struct err **err), struct record *out, struct err **err);

#endif
