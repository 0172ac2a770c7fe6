/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to try again: 0.5 s doubling to 30 s, with jitter, or what the server asks for in
 * Retry-After.
 */
#ifndef BLD_STORE_TRANSPORT_BACKOFF_H
#define BLD_STORE_TRANSPORT_BACKOFF_H

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>

#define BACKOFF_FIRST_MS        500
#define BACKOFF_LAST_MS         30000
#define BACKOFF_TRIES           5        /* retries when nothing else is asked for */
#define BACKOFF_NONE            UINT_MAX /* asked for: no retries; 0 asks for nothing */
#define BACKOFF_RETRY_AFTER_MAX 300000   /* ms; a server that wants more is not waited for */

/* How many retries `asked` means: 0 = BACKOFF_TRIES, BACKOFF_NONE = 0. */
unsigned backoff_tries(unsigned asked);
/* The wait before retry number `attempt` (0 = first): between half of the step and the whole step.
 */
uint64_t backoff_delay_ms(unsigned attempt);
/* Retry-After: seconds or an HTTP date. -1 when there is none or it makes no sense. */
int64_t backoff_retry_after_ms(const char *value, int64_t now_s);
/* Sleep; -1 when one of the two (may be NULL) becomes non-zero meanwhile. */
int backoff_sleep(uint64_t ms, const atomic_int *cancelled, const atomic_int *stop);

#endif
