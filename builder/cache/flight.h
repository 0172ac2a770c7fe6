/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file-system step through the cache, in a straight line:
 *
 *	r = flight_begin(&f, &record, err);   1: it was in the cache; 0: it is ours to do
 *	r = ...                               do it, fill in the record: 0, FLIGHT_LATER, -1
 *	r = flight_end(&f, &record, r, err);  remember it, unlock
 *
 * From begin to end the key's lock is held: another build of the same store that has the same step
 * waits in its flight_begin() and finds it then. Both emit the step's events.
 */
#ifndef BLD_BUILDER_CACHE_FLIGHT_H
#define BLD_BUILDER_CACHE_FLIGHT_H

#include "builder/cache/record.h"
#include "builder/session.h"
#include "builder/step.h"

/* Somebody else brings the step to its end, by flight_land(): what was flight_leave()d. */
#define FLIGHT_LATER 1

struct flight {
	struct session *se;
	const struct step *sp;
	const struct digest *key;  /* read at the end too: with flight_start() it may come late */
	const struct digest *also; /* or NULL: a second way to the step, which flight_begin() did
				      not find: a record is put there too, and names `key` */
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
/* The same; 0: it has begun, and flight_end() has to follow. */
int flight_begin(struct flight *f, struct record *out, struct err **err);
/*
 * Begin a step whose key is not known yet, because it is known that none of its shape was done: one
 * at a time of that shape. flight_wait() is for our turn, 0 / -1; then look again, and start it, or
 * drop the turn when somebody did one meanwhile. flight_start() gives the turn back when it fails.
 */
int flight_wait(struct flight *f, const struct digest *shape, struct err **err);
int flight_start(struct flight *f, struct err **err);
void flight_drop(struct flight *f);
/* done: what doing it gave, with *err when it is -1. Record, event, unlock. 0, also for
 * FLIGHT_LATER, or -1. */
int flight_end(struct flight *f, const struct record *r, int done, struct err **err);
/* Move what is left to do to somebody who lands it, before FLIGHT_LATER. */
void flight_leave(struct flight *f, struct flight_rest *out);
/* The step is done, or failed with *err when done is -1: record, event, unlock. 0 / -1. In any
 * thread. */
int flight_land(struct flight_rest *take, const struct record *r, int done, struct err **err);

#endif
