// SPDX-License-Identifier: Apache-2.0
/*
 * Made by build.c before anything is read, and cleared when the last stage is: the sandboxes'
 * runner ends here, and secrets are wiped.
 */
#include "builder/session.h"

#include <time.h>

#include "store/base/mem.h"

#define SESSION_PAUSE_NS 20000000

void session_init(struct session *se, const struct build_opts *o, struct store *s)
{
	*se = (struct session){.o = o, .s = s};
	events_init(&se->events, o->emit, o->emit_ctx);
	stop_init(&se->stop, o->cancelled);
	pthread_mutex_init(&se->lock, NULL);
}

void session_clear(struct session *se)
{
	sandbox_runner_free(se->runner);
	secrets_clear(&se->secrets);
	sshagent_clear(&se->agents);
	oci_platform_clear(&se->platform);
	strlist_clear(&se->build_args);
	strlist_clear(&se->used_args);
	strlist_clear(&se->begun_mounts);
	pthread_mutex_destroy(&se->lock);
	stop_clear(&se->stop);
	events_clear(&se->events);
}

struct sandbox_runner *session_runner(struct session *se, struct err **err)
{
	pthread_mutex_lock(&se->lock);
	if (!se->runner)
		se->runner = sandbox_runner_new(err);
	struct sandbox_runner *r = se->runner;
	pthread_mutex_unlock(&se->lock);
	return r;
}

void session_use_arg(struct session *se, const char *name)
{
	pthread_mutex_lock(&se->lock);
	strlist_add_once(&se->used_args, name);
	pthread_mutex_unlock(&se->lock);
}

int session_wait(struct session *se, bool *told, const char *why, struct err **err)
{
	const struct timespec pause = {.tv_nsec = SESSION_PAUSE_NS};

	if (!*told)
		events_status(&se->events, why);
	*told = true;
	if (stop_check(&se->stop, err) < 0)
		return -1;
	nanosleep(&pause, NULL);
	return 0;
}
