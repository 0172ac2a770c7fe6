// SPDX-License-Identifier: Apache-2.0
/*
 * Events go to the caller's function under a lock of their own: what it does with them may take
 * time, and numbers are asked for meanwhile.
 */
#include "builder/events.h"

void events_init(struct events *p, event_fn emit, void *ctx)
{
	*p = (struct events){.emit = emit, .ctx = ctx};
	pthread_mutex_init(&p->emitting, NULL);
	pthread_mutex_init(&p->counting, NULL);
}

void events_clear(struct events *p)
{
	pthread_mutex_destroy(&p->counting);
	pthread_mutex_destroy(&p->emitting);
}

void events_emit(struct events *p, const struct event *e)
{
	if (!p->emit)
		return;
	pthread_mutex_lock(&p->emitting);
	p->emit(p->ctx, e);
	pthread_mutex_unlock(&p->emitting);
}

void events_status(struct events *p, const char *text)
{
	events_emit(p, &(struct event){.kind = EVENT_STATUS, .text = text});
}

void events_warn(struct events *p, const char *text)
{
	events_emit(p, &(struct event){.kind = EVENT_WARNING, .text = text});
}

unsigned events_number(struct events *p)
{
	pthread_mutex_lock(&p->counting);
	unsigned n = ++p->nstatuses;
	pthread_mutex_unlock(&p->counting);
	return n;
}

void events_add_steps(struct events *p, unsigned n)
{
	pthread_mutex_lock(&p->counting);
	p->nsteps += n;
	pthread_mutex_unlock(&p->counting);
}

unsigned events_nsteps(struct events *p)
{
	pthread_mutex_lock(&p->counting);
	unsigned n = p->nsteps;
	pthread_mutex_unlock(&p->counting);
	return n;
}
