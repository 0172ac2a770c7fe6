/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of events (event.h) from the steps of a build to whoever shows them: one at a time, from
 * any thread; and the numbers that they carry.
 */
#ifndef BLD_BUILDER_EVENTS_H
#define BLD_BUILDER_EVENTS_H

#include <pthread.h>

#include "builder/event.h"

struct events {
	event_fn emit; /* or NULL: nobody looks */
	void *ctx;
	pthread_mutex_t emitting; /* one event at a time */
	pthread_mutex_t counting; /* guards what follows */
	unsigned nsteps;          /* in all needed stages; grows when a base brings triggers */
	unsigned nstatuses;       /* numbers given to statuses */
};

void events_init(struct events *p, event_fn emit, void *ctx);
void events_clear(struct events *p);

void events_emit(struct events *p, const struct event *e);
/* EVENT_STATUS and EVENT_WARNING with this text. */
void events_status(struct events *p, const char *text);
void events_warn(struct events *p, const char *text);

/* Of a status that lasts beside others: new at each call. */
unsigned events_number(struct events *p);
void events_add_steps(struct events *p, unsigned n);
unsigned events_nsteps(struct events *p);

#endif
