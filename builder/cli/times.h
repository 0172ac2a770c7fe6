/* SPDX-License-Identifier: Apache-2.0 */
/* Times and durations on the command line. */
#ifndef BLD_BUILDER_CLI_TIMES_H
#define BLD_BUILDER_CLI_TIMES_H

#include <stdint.h>

#include "store/base/err.h"

#define TIMES_SECONDS_MAX INT64_C(253402300799) /* the end of the year 9999 */

/* Seconds since 1970, digits only. what: the option or variable, for ERR_USAGE. */
int times_seconds(const char *what, const char *text, int64_t *out, struct err **err);

/* "90s", "15m", "24h", "7d", "2w"; a bare number is seconds. */
int times_duration(const char *what, const char *text, int64_t *out, struct err **err);

#endif
