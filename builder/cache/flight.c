// SPDX-License-Identifier: Apache-2.0
/*
 * One cached step: look it up, take the lock of its key, look again, since another build may have
 * done it meanwhile. Whoever did it may say FLIGHT_LATER: then lock, key and start time have moved
 * to a struct flight_rest, and flight_land() writes the record and tells the end from the thread
 * that finishes the layer.
 */
#include "builder/cache/flight.h"

#include <string.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/cache.h"

static void flight_emit(
	const struct flight *f, enum event_kind kind, const char *text, double seconds)
{
	struct event e = step_event(f->sp, kind, &f->se->events);

	e.text = text;
	e.seconds = seconds;
	events_emit(&f->se->events, &e);
}

int flight_lookup(const struct flight *f, struct record *out, struct err **err)
{
	if (f->sp->no_cache)
		return 0;
	int found = record_find(f->se->s, f->key, out, err);
	if (found <= 0)
		return found;
	auto_free char *text = step_text(f->sp);
	flight_emit(f, EVENT_STEP_CACHED, text, 0);
	return 1;
}

/* One line: of a rendered diagnostic the message without its place. */
static char *first_message(const char *text)
{
	size_t len = strcspn(text, "\n");
	const char *mark = memmem(text, len, ": error: ", 9);

	if (mark) {
		len -= (size_t)(mark + 9 - text);
		text = mark + 9;
	}
	return mem_strndup(text, len);
}

/* The second way leads to the first. */
static int put_also(struct session *se, const struct digest *key, const struct digest *also,
	const struct record *r, struct err **err)
{
	struct record second = *r;

	second.key = *key;
	return record_put(se->s, also, &second, err);
}

int flight_land(struct flight_rest *rest, const struct record *r, int done, struct err **err)
{
	struct flight f = {.se = rest->se, .sp = &rest->step, .key = &rest->key};
	auto_free char *text = step_text(f.sp);

	if (done == 0)
		done = record_put(f.se->s, f.key, r, err);
	if (done == 0 && !sha256_is_zero(&rest->also))
		done = put_also(f.se, f.key, &rest->also, r, err);
	close(TAKE_FD(rest->lock));
	double seconds = (double)(now_monotonic_ms() - rest->start_ms) / 1000;
	if (done == 0) {
		flight_emit(&f, EVENT_STEP_DONE, text, seconds);
		return 0;
	}
	if (stop_by_other(&f.se->stop) && err && *err && err_get_kind(*err) == ERR_CANCELLED) {
		flight_emit(&f, EVENT_STEP_ENDED, text, seconds);
		return -1;
	}
	auto_free char *reason = err && *err ? first_message(err_text(*err)) : mem_strdup("failed");
	flight_emit(&f, EVENT_STEP_FAILED, reason, seconds);
	return -1;
}

void flight_leave(struct flight *f, struct flight_rest *out)
{
	*out = (struct flight_rest){.se = f->se,
		.step = *f->sp,
		.key = *f->key,
		.also = f->also ? *f->also : (struct digest){0},
		.lock = TAKE_FD(f->lock),
		.start_ms = f->start_ms};
}

int flight_end(struct flight *f, const struct record *r, int done, struct err **err)
{
	struct flight_rest rest;

	if (done == FLIGHT_LATER)
		return 0;
	flight_leave(f, &rest);
	return flight_land(&rest, r, done, err);
}

/* Waits in small pieces, so that a signal ends the wait. */
static int flight_take_lock(const struct flight *f, const struct digest *what, struct err **err)
{
	bool told = false;

	for (;;) {
		errno = 0;
		int fd = cache_lock(f->se->s, what, true, err);
		if (fd >= 0 || errno != EWOULDBLOCK || (err && *err))
			return fd;
		if (session_wait(f->se, &told, "waiting for another build that does the same step",
			    err) < 0)
			return -1;
	}
}

/* 1, 0, -1 as flight_lookup; what was found is known by the second way from now on. */
static int flight_look(const struct flight *f, struct record *out, struct err **err)
{
	int found = flight_lookup(f, out, err);

	if (found > 0 && f->also && put_also(f->se, f->key, f->also, out, err) < 0)
		return -1;
	return found;
}

int flight_wait(struct flight *f, const struct digest *shape, struct err **err)
{
	f->lock = flight_take_lock(f, shape, err);
	return f->lock < 0 ? -1 : 0;
}

void flight_drop(struct flight *f)
{
	fd_close(TAKE_FD(f->lock));
}

int flight_start(struct flight *f, struct err **err)
{
	if (stop_check(&f->se->stop, err) < 0) {
		flight_drop(f);
		return -1;
	}
	auto_free char *text = step_text(f->sp);
	f->start_ms = now_monotonic_ms();
	flight_emit(f, EVENT_STEP_START, text, 0);
	return 0;
}

int flight_begin(struct flight *f, struct record *out, struct err **err)
{
	int found = flight_look(f, out, err);

	if (found)
		return found;
	if (flight_wait(f, f->key, err) < 0)
		return -1;
	found = flight_look(f, out, err);
	if (found) {
		flight_drop(f);
		return found;
	}
	return flight_start(f, err);
}
