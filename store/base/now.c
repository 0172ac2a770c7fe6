// SPDX-License-Identifier: Apache-2.0
/* Calendar arithmetic is done here (proleptic Gregorian, UTC), so no locale and no TZ matters. */
#include "store/base/now.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define DAY 86400
/* Years 0000 to 9999, all that RFC 3339 can write. */
#define RFC_FIRST (-62167219200)
#define RFC_LAST  253402300799

int64_t now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int64_t now_milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t now_monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 0000-01-01 to the first of January of the year (year >= 0). */
static int64_t days_before_year(int64_t y)
{
	return y * 365 + (y + 3) / 4 - (y + 99) / 100 + (y + 399) / 400;
}

static int64_t to_seconds(int64_t y, int mon, int day, int h, int m, int s)
{
	int64_t days = days_before_year(y) - days_before_year(1970) + day - 1;

	for (int i = 1; i < mon; i++)
		days += month_days(y, i);
	return days * DAY + h * 3600 + m * 60 + s;
}

const char *now_rfc3339(int64_t seconds, char out[NOW_RFC3339])
{
	if (seconds < RFC_FIRST)
		seconds = RFC_FIRST;
	if (seconds > RFC_LAST)
		seconds = RFC_LAST;
	int64_t since0 = seconds - RFC_FIRST;
	int64_t days = since0 / DAY;
	int rest = (int)(since0 % DAY), month = 1;
	int64_t year = days / 366; /* a lower bound, corrected upwards */
	while (days_before_year(year + 1) <= days)
		year++;
	days -= days_before_year(year);
	while (days >= month_days(year, month))
		days -= month_days(year, month++);
	/* The remainders change nothing; they tell the compiler that it fits. */
	snprintf(out, NOW_RFC3339, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000,
		(unsigned)month % 100, (unsigned)(days + 1) % 100, (unsigned)rest / 3600 % 100,
		(unsigned)rest / 60 % 60, (unsigned)rest % 60);
	return out;
}

/* Exactly n digits at *p, which moves behind them; -1 when there are fewer. */
static int now_digits(const char **p, int n)
{
	int v = 0;

	for (; n; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool now_eat(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool now_in_range(int64_t y, int mon, int day, int h, int m, int s)
{
	return y >= 0 && mon >= 1 && mon <= 12 && day >= 1 && day <= month_days(y, mon) && h >= 0 &&
	       h <= 23 && m >= 0 && m <= 59 && s >= 0 && s <= 60; /* 60: a leap second */
}

/* "Z" or "+hh:mm" up to the end of the text; the offset in seconds east of UTC. */
static int parse_zone(const char *p, int *out)
{
	if ((*p == 'Z' || *p == 'z') && !p[1]) {
		*out = 0;
		return 0;
	}
	int sign = *p == '+' ? 1 : *p == '-' ? -1 : 0;
	if (!sign)
		return -1;
	p++;
	int h = now_digits(&p, 2);
	if (h < 0 || h > 23 || !now_eat(&p, ':'))
		return -1;
	int m = now_digits(&p, 2);
	if (m < 0 || m > 59 || *p)
		return -1;
	*out = sign * (h * 3600 + m * 60);
	return 0;
}

int now_parse_rfc3339(const char *s, int64_t *out)
{
	const char *p = s;
	int v[6], zone;

	for (int i = 0; i < 6; i++) {
		if (i && !now_eat(&p, "\0--T::"[i]) &&
			!(i == 3 && (now_eat(&p, 't') || now_eat(&p, ' '))))
			return -1;
		v[i] = now_digits(&p, i ? 2 : 4);
		if (v[i] < 0)
			return -1;
	}
	if (!now_in_range(v[0], v[1], v[2], v[3], v[4], v[5]))
		return -1;
	if (now_eat(&p, '.')) {
		size_t n = strspn(p, "0123456789");
		if (!n)
			return -1;
		p += n;
	}
	if (parse_zone(p, &zone) < 0)
		return -1;
	*out = to_seconds(v[0], v[1], v[2], v[3], v[4], v[5]) - zone;
	return 0;
}

int now_parse_http_date(const char *s, int64_t *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const char week[] = "MonTueWedThuFriSatSun";
	char name[4];
	const char *p = s, *found;

	/* RFC 9110, 5.6.7: IMF-fixdate; the two obsolete forms are not sent by registries. */
	if (strlen(s) != 29)
		return -1;
	memcpy(name, p, 3);
	name[3] = '\0';
	found = strstr(week, name);
	if (!found || (found - week) % 3 || memcmp(p + 3, ", ", 2) != 0)
		return -1;
	p += 5;
	int day = now_digits(&p, 2);
	if (!now_eat(&p, ' '))
		return -1;
	memcpy(name, p, 3);
	found = strstr(months, name);
	if (!found || (found - months) % 3)
		return -1;
	int mon = (int)(found - months) / 3 + 1;
	p += 3;
	if (!now_eat(&p, ' '))
		return -1;
	int year = now_digits(&p, 4), h = now_eat(&p, ' ') ? now_digits(&p, 2) : -1;
	int m = now_eat(&p, ':') ? now_digits(&p, 2) : -1;
	int sec = now_eat(&p, ':') ? now_digits(&p, 2) : -1;
	if (!now_in_range(year, mon, day, h, m, sec) || strcmp(p, " GMT") != 0)
		return -1;
	*out = to_seconds(year, mon, day, h, m, sec);
	return 0;
}

int now_boot_id(char *out, size_t size)
{
	auto_fd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	*out = '\0';
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
	ssize_t n = read(fd, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return n < 0 ? -1 : 0;
}
