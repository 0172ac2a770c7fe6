/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in a build, as data. The builder emits events; builder/ui/ shows them; nobody else
 * prints. Strings are borrowed for the call and NOT yet safe for a terminal: the consumer escapes
 * them. Events may come from several threads, never two at a time.
 */
#ifndef BLD_BUILDER_EVENT_H
#define BLD_BUILDER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_STEP_START,  /* step begins to run */
	EVENT_STEP_CACHED, /* step came from the cache; no START */
	EVENT_STEP_WHY,    /* of a step that has begun: text = why it was not in the cache */
	EVENT_STEP_OUTPUT, /* bytes of RUN, stdout (stream 1) or stderr (2); not line-wise */
	EVENT_STEP_DONE,
	EVENT_STEP_FAILED, /* text = reason; the error follows by return value */
	EVENT_STEP_ENDED,  /* it was ended because another stage failed; no failure of its own; the
			      last of those of a step, see event_is_step() */
	EVENT_STATUS,      /* text: something that takes time outside of steps ("pulling
			      docker.io/library/debian:12") */
	EVENT_STATUS_END,  /* of a status with a number */
	EVENT_TRANSFER,    /* a blob of the current status: text = short digest, done/total bytes */
	EVENT_WARNING,     /* text, possibly of several lines (a rendered diagnostic) */
};

struct event {
	enum event_kind kind;
	/* 1..; identifies a step of this build. Of a STATUS and its TRANSFERs: 0, when it lasts
	 * until the next status or step; else its number, and it lasts beside others until its
	 * STATUS_END. */
	unsigned step;
	unsigned nsteps;   /* in all needed stages */
	const char *stage; /* stage name or number as text; NULL when there is one stage only */
	const char *text;  /* of a step: the instruction as written, one line ("RUN make -j2") */
	int stream;
	const void *bytes;
	size_t len;
	uint64_t done;
	uint64_t total;
	double seconds; /* STEP_DONE, STEP_FAILED: how long it took */
};

/* Does it tell of a step, which `step` then identifies? */
static inline bool event_is_step(enum event_kind kind)
{
	return kind <= EVENT_STEP_ENDED;
}

typedef void (*event_fn)(void *ctx, const struct event *e);

#endif
