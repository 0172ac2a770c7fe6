// SPDX-License-Identifier: Apache-2.0
/* Sums saturate, so that a limit of 2^63 ms from a command line is late and never early. */
#include "store/base/deadline.h"

#include <limits.h>
#include <time.h>

#include "store/base/now.h"

struct deadline deadline_in(uint64_t ms)
{
	uint64_t now = now_monotonic_ms();

	return (struct deadline){ms < UINT64_MAX - now ? now + ms : UINT64_MAX};
}

struct deadline deadline_limit(uint64_t ms)
{
	return ms ? deadline_in(ms) : DEADLINE_NEVER;
}

uint64_t deadline_left(struct deadline d)
{
	if (d.at == UINT64_MAX)
		return UINT64_MAX;
	uint64_t now = now_monotonic_ms();
	return d.at > now ? d.at - now : 0;
}

bool deadline_over(struct deadline d)
{
	return deadline_left(d) == 0;
}

int deadline_poll(struct deadline d, int most)
{
	uint64_t left = deadline_left(d);

	if (most >= 0 && left > (uint64_t)most)
		return most;
	if (left == UINT64_MAX)
		return -1;
	return left < INT_MAX ? (int)left : INT_MAX;
}

void deadline_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

int deadline_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, struct deadline d)
{
	if (d.at == UINT64_MAX)
		return pthread_cond_wait(c, lock);
	/* Beyond what a 64-bit time_t holds there is none: at most 2^64 ms are 2^54 seconds. */
	const struct timespec until = {
		.tv_sec = (time_t)(d.at / 1000), .tv_nsec = (long)(d.at % 1000) * 1000000};
	return pthread_cond_timedwait(c, lock, &until);
}
