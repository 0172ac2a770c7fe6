// SPDX-License-Identifier: Apache-2.0
/*
 * The output of a step on its way to the display: secrets are masked first, so nothing behind this
 * sees them. The end of each stream is kept for runfail.c, in a buffer of twice that size which is
 * moved only when it is full.
 */
#include "builder/run/runoutput.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

static void runoutput_keep(struct runoutput_stream *s, const char *p, size_t n)
{
	if (n > RUNOUTPUT_TAIL) {
		p += n - RUNOUTPUT_TAIL;
		n = RUNOUTPUT_TAIL;
	}
	if (!s->tail)
		s->tail = mem_grow(NULL, 2 * RUNOUTPUT_TAIL, 1);
	if (s->ntail + n > 2 * RUNOUTPUT_TAIL) {
		size_t more = s->ntail + n - RUNOUTPUT_TAIL;
		more = more < s->ntail ? more : s->ntail;
		memmove(s->tail, s->tail + more, s->ntail - more);
		s->ntail -= more;
	}
	memcpy(s->tail + s->ntail, p, n);
	s->ntail += n;
}

static void runoutput_pass_on(void *ctx, const void *p, size_t n)
{
	struct runoutput_stream *s = ctx;
	const struct runoutput *o = s->o;

	runoutput_keep(s, p, n);
	struct event e = step_event(o->sp, EVENT_STEP_OUTPUT, &o->se->events);

	e.stream = s->number;
	e.bytes = p;
	e.len = n;
	events_emit(&o->se->events, &e);
}

void runoutput_init(struct runoutput *o, struct session *se, const struct step *sp)
{
	*o = (struct runoutput){.se = se, .sp = sp};
	for (int i = 0; i < 2; i++) {
		struct runoutput_stream *s = &o->stream[i];
		*s = (struct runoutput_stream){.o = o, .number = i + 1};
		/* All of the build: what one step was given, it may have left for another. */
		if (se->secrets.mask)
			s->mask = mask_stream_new(se->secrets.mask, runoutput_pass_on, s);
	}
}

void runoutput_take(struct runoutput *o, int stream, const void *p, size_t n)
{
	struct runoutput_stream *s = &o->stream[stream == 2];

	if (s->mask)
		mask_stream_feed(s->mask, p, n);
	else
		runoutput_pass_on(s, p, n);
}

void runoutput_end(struct runoutput *o)
{
	for (int i = 0; i < 2; i++)
		if (o->stream[i].mask)
			mask_stream_end(o->stream[i].mask);
}

struct slice runoutput_tail(const struct runoutput *o, int stream)
{
	const struct runoutput_stream *s = &o->stream[stream == 2];
	struct slice all = {s->tail, s->ntail};

	if (s->ntail <= RUNOUTPUT_TAIL)
		return all;
	const char *line = memchr(s->tail, '\n', s->ntail);
	return line ? slice_from(all, (size_t)(line + 1 - s->tail)) : all;
}

void runoutput_clear(struct runoutput *o)
{
	for (int i = 0; i < 2; i++) {
		mask_stream_free(o->stream[i].mask);
		free(o->stream[i].tail);
	}
	*o = (struct runoutput){0};
}
