/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complete output of the steps that builds ran, kept in the store:
 *
 *	bld/logs/ID/steps   one JSON object a line: what happened to which step, in order
 *	bld/logs/ID/N.log   the bytes that step N wrote, both streams as they came
 *	                    up to BUILDLOG_STEP_MAX, then a line that says so
 *	bld/logs/ID/end     how the build ended; missing while it runs, or when it was killed
 *
 * ID is the time the first step began and the process: "20261123-101530-042-4711". A build that
 * runs no step leaves nothing. The newest BUILDLOG_KEEP builds stay; `bld prune` removes what has
 * ended well, `bld prune --all` and `--keep-time` also what failed. A running build holds a lock on
 *its directory. Only bytes that the display gets are written, so what is masked there is masked
 *here.
 */
#ifndef BLD_BUILDER_LOG_BUILDLOG_H
#define BLD_BUILDER_LOG_BUILDLOG_H

#include "builder/event.h"
#include "store/base/strlist.h"
#include "store/store.h"

#define BUILDLOG_DIR      "logs"
#define BUILDLOG_KEEP     50
#define BUILDLOG_STEP_MAX ((uint64_t)16 << 20) /* bytes kept of one step; the display gets all */
#define BUILDLOG_ID       64                   /* room for an ID */

/* --- writing --- */

struct buildlog;

/* title: what was built, for lists. Nothing is written before the first step begins. A log that
 * cannot be written is left out, with one warning through `emit`, to which all events go on. */
struct buildlog *buildlog_new(struct store *s, const char *title, event_fn emit, void *emit_ctx);
void buildlog_event(void *ctx, const struct event *e); /* an event_fn */
/* The build is over: `error` NULL = it went well. */
void buildlog_end(struct buildlog *l, const char *error);
/* "ID" of what was written, NULL when there is nothing; *step: the step that failed, 0 = none. */
const char *buildlog_id(const struct buildlog *l, unsigned *step);
void buildlog_free(struct buildlog *l);

/* --- reading --- */

enum buildlog_state { BUILDLOG_DONE, BUILDLOG_FAILED, BUILDLOG_RUNNING, BUILDLOG_INTERRUPTED };

struct buildlog_step {
	unsigned number;
	unsigned nsteps;
	char *stage; /* owned; "" = none */
	char *text;  /* owned; the instruction, or after a failure its reason behind it */
	char *state; /* owned: "running", "cached", "done", "failed", "ended" */
	double seconds;
};

struct buildlog_info {
	char id[BUILDLOG_ID];
	char *title; /* owned */
	char *error; /* owned; of a failed build */
	enum buildlog_state state;
	struct buildlog_step *steps; /* owned; in order of their numbers */
	size_t nsteps;
};

/* IDs of all builds, oldest first. */
int buildlog_list(struct store *s, struct strlist *ids, struct err **err);
/* ERR_NOT_FOUND. *out is to be cleared in any case. */
int buildlog_read(struct store *s, const char *id, struct buildlog_info *out, struct err **err);
/* The bytes of a step: a descriptor, -1 with ERR_NOT_FOUND when it wrote none. */
int buildlog_open(struct store *s, const char *id, unsigned step, struct err **err);
void buildlog_info_clear(struct buildlog_info *i);

DEFINE_CLEANUP(struct buildlog *, buildlog_free);
#define auto_buildlog      CLEANUP(buildlog_freep)
#define auto_buildlog_info CLEANUP(buildlog_info_clear)

#endif
