// SPDX-License-Identifier: Apache-2.0
/*
 * Seconds and durations of options. The limit is checked digit by digit, so that no number
 * overflows before it is refused.
 */
#include "builder/cli/times.h"

#include <string.h>

/* Digits at the start of text; *end behind them. -1: none, or more than TIMES_SECONDS_MAX. */
static int64_t cli_times_digits(const char *text, const char **end)
{
	int64_t n = 0;

	*end = text;
	for (; **end >= '0' && **end <= '9'; (*end)++) {
		n = n * 10 + (**end - '0');
		if (n > TIMES_SECONDS_MAX)
			return -1;
	}
	return *end == text ? -1 : n;
}

int times_seconds(const char *what, const char *text, int64_t *out, struct err **err)
{
	const char *end;
	int64_t n = cli_times_digits(text, &end);

	if (n < 0 || *end) {
		err_set(err, ERR_USAGE, "%s: \"%s\" is not a number of seconds since 1970", what,
			text);
		return err_hint(err, "\"date +%%s\" prints the present one");
	}
	*out = n;
	return 0;
}

int times_duration(const char *what, const char *text, int64_t *out, struct err **err)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = {1, 60, 3600, 86400, 604800};
	const char *end, *unit;
	int64_t n = cli_times_digits(text, &end);

	unit = *end ? strchr(units, *end) : units;
	if (n < 0 || !unit || (*end && end[1]) || n > TIMES_SECONDS_MAX / seconds[unit - units]) {
		err_set(err, ERR_USAGE, "%s: \"%s\" is not a duration", what, text);
		return err_hint(err, "a number and s, m, h, d or w: 24h");
	}
	*out = n * seconds[unit - units];
	return 0;
}
