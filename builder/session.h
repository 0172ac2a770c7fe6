/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all steps of one `bld build` share, whichever stage they are of: options, the store, secrets
 * and agents, the clock, the runner of sandboxes, events out and the way to an early end. No step
 * reads options of the process or its environment.
 *
 * Stages may be built by several threads at a time (stages.h). What is made before the first stage
 * starts is constant from then on; what changes is behind `lock`, or has a lock of its own.
 */
#ifndef BLD_BUILDER_SESSION_H
#define BLD_BUILDER_SESSION_H

#include <pthread.h>

#include "builder/options.h"
#include "builder/plan/budget.h"
#include "builder/events.h"
#include "builder/sandbox/sandbox.h"
#include "builder/secrets/secrets.h"
#include "builder/secrets/sshagent.h"
#include "builder/stop.h"
#include "store/oci/oci.h"
#include "store/store.h"

struct session {
	const struct build_opts *o;
	struct store *s;
	struct secrets secrets;
	struct sshagents agents;
	struct strlist build_args; /* of the options, see epoch.h */
	struct build_times times;
	struct budget budget; /* of what variables become in all stages */
	struct oci_platform platform;
	struct events events;
	struct stop stop;

	pthread_mutex_t lock;          /* guards what follows */
	struct sandbox_runner *runner; /* started by the first RUN; owned */
	struct strlist used_args;      /* names of --build-arg that an ARG took */
	struct strlist begun_mounts;   /* cache mounts that --no-cache began anew (cachemount.h) */
};

/* Options and store are borrowed. */
void session_init(struct session *se, const struct build_opts *o, struct store *s);
void session_clear(struct session *se);

/* The runner of sandboxes, made by the first one who asks; borrowed. */
struct sandbox_runner *session_runner(struct session *se, struct err **err);
/* An ARG declared this name. */
void session_use_arg(struct session *se, const char *name);
/* A small pause of somebody who tries again and again; tells why the first time. As stop_check().
 */
int session_wait(struct session *se, bool *told, const char *why, struct err **err);

#endif
