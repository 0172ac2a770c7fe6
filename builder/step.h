/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instruction on its way through a build: where it stands, what it works on, and what is
 * decided for its stage. Made by build.c; everything is borrowed.
 */
#ifndef BLD_BUILDER_STEP_H
#define BLD_BUILDER_STEP_H

#include "builder/events.h"
#include "parser/dockerfile.h"

struct state;

struct step {
	const struct dockerfile *df; /* a trigger of a base image is a text of its own */
	const struct ast_instruction *ins;
	struct state *st;  /* of its stage, as far as it has come */
	size_t stage;      /* index in the plan */
	const char *title; /* of the stage, for progress; NULL when one stage is needed only */
	unsigned number;   /* 1.. */
	bool no_cache;     /* it is done again, whatever the cache holds */
	bool fresh_mounts; /* its cache mounts begin empty */
};

/* The instruction as one printable line, shortened, without secrets of URLs; owned by the caller.
 */
char *step_text(const struct step *sp);
/* An event of this step, to be completed. */
struct event step_event(const struct step *sp, enum event_kind kind, struct events *p);

#endif
