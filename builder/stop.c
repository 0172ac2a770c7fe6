// SPDX-License-Identifier: Apache-2.0
/*
 * Two sources become one answer: the flag that the command line's signal handler sets, and what a
 * stage, or a thread that writes layers, says of its failure.
 */
#include "builder/stop.h"

#include <signal.h>

#include "store/base/deadline.h"

void stop_init(struct stop *s, const atomic_int *signal)
{
	*s = (struct stop){.signal = signal};
	pthread_mutex_init(&s->lock, NULL);
	deadline_cond_init(&s->changed);
}

void stop_clear(struct stop *s)
{
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}

const atomic_int *stop_flag(const struct stop *s)
{
	return s->parallel ? &s->asked : s->signal;
}

void stop_all(struct stop *s)
{
	pthread_mutex_lock(&s->lock);
	if (!stop_get(s))
		stop_set(s, STOP_FAILURE);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

bool stop_by_other(const struct stop *s)
{
	return stop_get(s) == STOP_FAILURE && !cancel_asked(s->signal);
}

int stop_check(const struct stop *s, struct err **err)
{
	int sig = cancel_asked(s->signal);

	if (sig)
		return err_set(err, ERR_CANCELLED, "stopped by %s",
			sig == SIGTERM ? "SIGTERM" : "an interrupt");
	if (stop_get(s))
		return err_set(err, ERR_CANCELLED, "another stage failed");
	return 0;
}
