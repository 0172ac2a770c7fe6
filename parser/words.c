// SPDX-License-Identifier: Apache-2.0
/*
 * Splits text into words and reads numbers, sizes and durations, with Go's spellings (1h30m,
 * 10kib), as other builders do. Words are slices of the text, quotes and all: only cut here,
 * expanded later. Arithmetic is checked before it is done; what would overflow is no number.
 */
#include "parser/words.h"

#include <limits.h>

static void words_push(
	struct arena *arena, struct words_list *out, struct slice text, size_t from, size_t to)
{
	out->items = arena_grow(arena, out->items, out->count, &out->cap, sizeof *out->items);
	out->items[out->count++] =
		(struct words_item){slice_sub(text, from, to - from), from, to - from};
}

void words_blank(struct slice text, struct arena *arena, struct words_list *out)
{
	size_t at = 0;

	*out = (struct words_list){0};
	while (at < text.len) {
		size_t from;

		while (at < text.len && slice_is_blank(text.ptr[at]))
			at++;
		from = at;
		while (at < text.len && !slice_is_blank(text.ptr[at]))
			at++;
		if (at > from)
			words_push(arena, out, text, from, at);
	}
}

void words_quoted(struct slice text, char escape, struct arena *arena, struct words_list *out)
{
	size_t at = 0;

	*out = (struct words_list){0};
	while (at < text.len) {
		size_t from;
		char quote = 0;

		while (at < text.len && slice_is_blank(text.ptr[at]))
			at++;
		from = at;
		for (; at < text.len && (quote || !slice_is_blank(text.ptr[at])); at++) {
			char c = text.ptr[at];

			if (c == escape && quote != '\'')
				at++;
			else if (quote)
				quote = c == quote ? 0 : quote;
			else if (c == '"' || c == '\'')
				quote = c;
		}
		if (at > text.len) /* escape character at the end */
			at = text.len;
		if (at > from)
			words_push(arena, out, text, from, at);
	}
}

bool words_bool(struct slice text, bool *out)
{
	static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
	static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (slice_eq_str(text, yes[i]) || slice_eq_str(text, no[i])) {
			*out = slice_eq_str(text, yes[i]);
			return true;
		}
	}
	return false;
}

bool words_number(struct slice text, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.ptr[i] - '0');

		if (text.ptr[i] < '0' || digit >= base)
			return false;
		if (value > (max - digit) / base || digit > max)
			return false;
		value = value * base + digit;
	}
	*out = value;
	return true;
}

/* Digits with an optional fraction as value * unit, rounded down; returns the bytes read, 0 when it
 * is no number or too large. */
static size_t scaled(struct slice s, uint64_t unit, uint64_t max, uint64_t *out)
{
	uint64_t whole = 0, fraction = 0, scale = 1;
	size_t i = 0, digits = 0;

	for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++, digits++) {
		uint64_t digit = (uint64_t)(s.ptr[i] - '0');

		if (whole > (max - digit) / 10)
			return 0;
		whole = whole * 10 + digit;
	}
	if (i < s.len && s.ptr[i] == '.') {
		for (i++; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++, digits++) {
			if (scale >= 1000000) /* further digits change nothing that matters */
				continue;
			fraction = fraction * 10 + (uint64_t)(s.ptr[i] - '0');
			scale *= 10;
		}
	}
	if (digits == 0 || whole > max / unit)
		return 0;
	*out = whole * unit;
	/* unit <= 2^50 and fraction < 10^6, so cut the unit first where the product would not fit.
	 */
	fraction = unit > UINT64_MAX / 1000000 ? unit / scale * fraction : unit * fraction / scale;
	if (fraction > max - *out)
		return 0;
	*out += fraction;
	return i;
}

static size_t number_length(struct slice s)
{
	size_t i = 0;

	while (i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '.'))
		i++;
	return i;
}

bool words_size(struct slice text, uint64_t *out)
{
	static const char units[] = "kmgtp";
	struct slice suffix = slice_from(text, number_length(text));
	uint64_t unit = 1;
	uint64_t value;

	if (suffix.len > 0 && suffix.ptr[0] == ' ')
		suffix = slice_from(suffix, 1);
	for (unsigned i = 0; i < sizeof units - 1 && suffix.len > 0; i++) {
		if ((suffix.ptr[0] | 0x20) != units[i])
			continue;
		unit = (uint64_t)1 << (10 * (i + 1));
		suffix = slice_from(suffix, 1);
		if (suffix.len == 2 && (suffix.ptr[0] | 0x20) == 'i')
			suffix = slice_from(suffix, 1);
		break;
	}
	if (suffix.len > 1 || (suffix.len == 1 && (suffix.ptr[0] | 0x20) != 'b'))
		return false;
	if (number_length(text) == 0 ||
		scaled(text, unit, INT64_MAX, &value) != number_length(text))
		return false;
	*out = value;
	return true;
}

static uint64_t duration_unit(struct slice s, size_t *len)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
		{"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};
	struct slice name;
	size_t n = 0;

	while (n < s.len && s.ptr[n] != '.' && (s.ptr[n] < '0' || s.ptr[n] > '9'))
		n++;
	name = slice_sub(s, 0, n);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (slice_eq_str(name, units[i].name)) {
			*len = n;
			return units[i].ns;
		}
	}
	return 0;
}

bool words_duration(struct slice text, int64_t *out)
{
	bool negative = slice_starts(text, "-");
	uint64_t total = 0;

	if (negative || slice_starts(text, "+"))
		text = slice_from(text, 1);
	if (slice_eq_str(text, "0")) {
		*out = 0;
		return true;
	}
	if (text.len == 0)
		return false;
	while (text.len > 0) {
		size_t digits = number_length(text), unit_len = 0;
		uint64_t unit = duration_unit(slice_from(text, digits), &unit_len);
		uint64_t part;

		if (!unit || scaled(text, unit, INT64_MAX, &part) != digits || digits == 0 ||
			part > INT64_MAX - total)
			return false;
		total += part;
		text = slice_from(text, digits + unit_len);
	}
	*out = negative ? -(int64_t)total : (int64_t)total;
	return true;
}
