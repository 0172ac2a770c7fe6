// SPDX-License-Identifier: Apache-2.0
/*
 * How long to wait before the next attempt: doubling from step to step, and half of each wait is
 * random, so that many clients do not come back together. Sleeping is in pieces of 100 ms, after
 * which the flags are looked at.
 */
#include "store/transport/backoff.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "store/base/cancel.h"
#include "store/base/deadline.h"
#include "store/base/now.h"

unsigned backoff_tries(unsigned asked)
{
	if (asked == BACKOFF_NONE)
		return 0;
	return asked ? asked : BACKOFF_TRIES;
}

uint64_t backoff_delay_ms(unsigned attempt)
{
	uint64_t step = BACKOFF_FIRST_MS;
	uint32_t r = 0;

	for (unsigned i = 0; i < attempt && step < BACKOFF_LAST_MS; i++)
		step *= 2;
	if (step > BACKOFF_LAST_MS)
		step = BACKOFF_LAST_MS;
	/* Without randomness everybody would still be served, only less evenly. */
	if (getrandom(&r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r)
		r = 0;
	return step / 2 + r % (step / 2 + 1);
}

int64_t backoff_retry_after_ms(const char *value, int64_t now_s)
{
	int64_t at;

	if (!value)
		return -1;
	while (*value == ' ' || *value == '\t')
		value++;
	if (isdigit((unsigned char)*value)) {
		char *end;
		unsigned long s = strtoul(value, &end, 10);

		while (*end == ' ' || *end == '\t')
			end++;
		if (*end != '\0')
			return -1;
		return s > INT32_MAX ? (int64_t)INT32_MAX * 1000 : (int64_t)s * 1000;
	}
	if (now_parse_http_date(value, &at) < 0)
		return -1;
	return at <= now_s ? 0 : (at - now_s > INT32_MAX ? INT32_MAX : at - now_s) * 1000;
}

int backoff_sleep(uint64_t ms, const atomic_int *cancelled, const atomic_int *stop)
{
	struct deadline end = deadline_in(ms);

	for (;;) {
		int left = deadline_poll(end, 100);

		if (cancel_asked(cancelled) || cancel_asked(stop))
			return -1;
		if (left == 0)
			return 0;
		nanosleep(&(struct timespec){.tv_nsec = left * 1000000L}, NULL);
	}
}
