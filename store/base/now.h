/* SPDX-License-Identifier: Apache-2.0 */
/* Time: the only caller of time functions, so that tests and SOURCE_DATE_EPOCH have one place. */
#ifndef BLD_STORE_BASE_NOW_H
#define BLD_STORE_BASE_NOW_H

#include <stddef.h>
#include <stdint.h>

#define NOW_RFC3339 32

int64_t now_seconds(void);       /* wall clock, seconds since 1970 */
int64_t now_milliseconds(void);  /* the same clock */
uint64_t now_monotonic_ms(void); /* never goes back */
/* "2026-11-22T20:16:16Z"; returns out. */
const char *now_rfc3339(int64_t seconds, char out[NOW_RFC3339]);
/* Accepts fractions and offsets; 0 / -1. */
int now_parse_rfc3339(const char *s, int64_t *out);
/* HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT"); 0 / -1. */
int now_parse_http_date(const char *s, int64_t *out);
/* The kernel's boot id as text, "" where there is no /proc: 0 / -1 errno. */
int now_boot_id(char *out, size_t size);

#endif
