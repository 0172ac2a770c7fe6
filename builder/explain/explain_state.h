/* SPDX-License-Identifier: Apache-2.0 */
/* What explain.c and explain_why.c share of one build. */
#ifndef BLD_BUILDER_EXPLAIN_EXPLAIN_STATE_H
#define BLD_BUILDER_EXPLAIN_EXPLAIN_STATE_H

#include <pthread.h>

#include "builder/explain/explain.h"
#include "builder/explain/explain_past.h"

#define EXPLAIN_NONE SIZE_MAX

/* A step that has begun, or came from the cache. */
struct explain_step {
	struct digest key;
	const struct ast_instruction *ins; /* of a trigger: may be gone */
	char *text;                        /* owned */
	struct buf facts;                  /* owned; of a step that ran */
	unsigned number;
	size_t match; /* the step of the earlier build that it was, or EXPLAIN_NONE */
	bool has_key;
	bool ran;
	bool done;
};

/* One stage of this build. */
struct explain_live_stage {
	struct explain_step *v; /* owned */
	size_t n;
	size_t cap;
	struct buf base; /* owned; facts */
	char *platform;  /* owned */
	bool opened;
	const struct explain_stage *old; /* NULL: none is known */
	size_t next_old;                 /* steps of it in front of this one are accounted for */
};

struct explain {
	pthread_mutex_t lock; /* of what follows; a stage belongs to its stage's thread */
	struct explain_live_stage *stages; /* owned; one per stage of the plan */
	size_t nstages;
	struct digest id; /* of the record */
	struct explain_past past;
	bool loaded;
	bool had_past;
	bool dirty;                  /* a step ran */
	struct explain_files *files; /* of this build; their bytes are owned */
	size_t nfiles;
	size_t cap_files;
};

/* explain_why.c: find what the steps from `from` on were in the earlier build. */
void explain_match(const struct job *j, size_t stage, size_t from);
/* Why a step that is matched is not in the cache; owned. */
char *explain_why(const struct job *j, size_t stage, size_t index);

#endif
