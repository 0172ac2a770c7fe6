// SPDX-License-Identifier: Apache-2.0
/*
 * Exec form: a JSON array. Values other than strings are checked for syntax too, because a line
 * that is not JSON at all is the shell form while a valid array with a number in it is a mistake.
 */
#include "parser/words.h"

#include <string.h>

#include "parser/utf8.h"

#define DEPTH_MAX 100

struct reader {
	struct slice text;
	size_t at;
	struct arena *arena;
	unsigned depth;
};

static bool value(struct reader *r);

static void blanks(struct reader *r)
{
	while (r->at < r->text.len && strchr(" \t\r\n", r->text.ptr[r->at]) && r->text.ptr[r->at])
		r->at++;
}

static bool words_json_eat(struct reader *r, char c)
{
	blanks(r);
	if (r->at >= r->text.len || r->text.ptr[r->at] != c)
		return false;
	r->at++;
	return true;
}

static bool hex4(struct reader *r, uint32_t *out)
{
	*out = 0;
	if (r->text.len - r->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = r->text.ptr[r->at++];
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
		*out = *out << 4 | digit;
	}
	return true;
}

/* After a backslash; appends up to four bytes. */
static bool escape(struct reader *r, char *out, size_t *n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint32_t rune, low;
	const char *at;
	size_t mark;

	if (r->at >= r->text.len || !r->text.ptr[r->at])
		return false;
	at = strchr(from, r->text.ptr[r->at]);
	if (at) {
		r->at++;
		out[(*n)++] = to[at - from];
		return true;
	}
	if (r->text.ptr[r->at++] != 'u' || !hex4(r, &rune))
		return false;
	mark = r->at;
	if (rune >= 0xD800 && rune < 0xDC00 && slice_starts(slice_from(r->text, r->at), "\\u")) {
		r->at += 2;
		if (!hex4(r, &low))
			return false;
		if (low >= 0xDC00 && low < 0xE000)
			rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
		else
			r->at = mark; /* a lone surrogate; the next escape stands for itself */
	}
	*n += utf8_encode(rune, out + *n);
	return true;
}

/* The opening quote has been eaten. */
static bool words_json_string(struct reader *r, struct slice *out)
{
	size_t n = 0, end = r->at, from = r->at;
	char *text;

	while (end < r->text.len && r->text.ptr[end] != '"')
		end += r->text.ptr[end] == '\\' ? 2 : 1;
	if (end >= r->text.len)
		return false;
	/* Decoding never makes a string longer, but for U+FFFD in the place of a bad byte. */
	text = arena_alloc(r->arena, (end - from) * 3 + 1);
	while (r->at < end) {
		unsigned char c = (unsigned char)r->text.ptr[r->at];
		uint32_t rune;

		if (c < 0x20)
			return false;
		if (c == '\\') {
			r->at++;
			if (!escape(r, text, &n))
				return false;
			continue;
		}
		r->at += utf8_decode(slice_from(r->text, r->at), &rune);
		n += utf8_encode(rune == UTF8_INVALID ? 0xFFFD : rune, text + n);
	}
	r->at = end + 1;
	*out = (struct slice){text, n};
	return true;
}

static bool words_json_digits(struct reader *r)
{
	size_t from = r->at;

	while (r->at < r->text.len && r->text.ptr[r->at] >= '0' && r->text.ptr[r->at] <= '9')
		r->at++;
	return r->at > from;
}

static bool words_json_number(struct reader *r)
{
	bool zero;

	if (r->text.ptr[r->at] == '-')
		r->at++;
	zero = r->at < r->text.len && r->text.ptr[r->at] == '0';
	if (zero)
		r->at++;
	else if (!words_json_digits(r))
		return false;
	if (r->at < r->text.len && r->text.ptr[r->at] == '.') {
		r->at++;
		if (!words_json_digits(r))
			return false;
	}
	if (r->at < r->text.len && (r->text.ptr[r->at] | 0x20) == 'e') {
		r->at++;
		if (r->at < r->text.len && (r->text.ptr[r->at] == '+' || r->text.ptr[r->at] == '-'))
			r->at++;
		return words_json_digits(r);
	}
	return true;
}

static bool object(struct reader *r)
{
	struct slice key;

	if (words_json_eat(r, '}'))
		return true;
	do {
		if (!words_json_eat(r, '"') || !words_json_string(r, &key) ||
			!words_json_eat(r, ':') || !value(r))
			return false;
	} while (words_json_eat(r, ','));
	return words_json_eat(r, '}');
}

static bool array(struct reader *r)
{
	if (words_json_eat(r, ']'))
		return true;
	do {
		if (!value(r))
			return false;
	} while (words_json_eat(r, ','));
	return words_json_eat(r, ']');
}

static bool words_json_literal(struct reader *r)
{
	static const char *const names[] = {"true", "false", "null"};

	for (size_t i = 0; i < 3; i++) {
		if (slice_starts(slice_from(r->text, r->at), names[i])) {
			r->at += strlen(names[i]);
			return true;
		}
	}
	return false;
}

/* Any value; what it is does not matter. */
static bool value(struct reader *r)
{
	struct slice text;
	bool ok;

	blanks(r);
	if (r->at >= r->text.len || r->depth == DEPTH_MAX)
		return false;
	r->depth++;
	if (words_json_eat(r, '"'))
		ok = words_json_string(r, &text);
	else if (words_json_eat(r, '['))
		ok = array(r);
	else if (words_json_eat(r, '{'))
		ok = object(r);
	else if (r->text.ptr[r->at] == '-' ||
		 (r->text.ptr[r->at] >= '0' && r->text.ptr[r->at] <= '9'))
		ok = words_json_number(r);
	else
		ok = words_json_literal(r);
	r->depth--;
	return ok;
}

/* One element; *string_seen tells whether it is one. */
static bool element(struct reader *r, struct words_item *item, bool *is_string)
{
	blanks(r);
	item->off = r->at;
	*is_string = r->at < r->text.len && r->text.ptr[r->at] == '"';
	if (*is_string) {
		r->at++;
		if (!words_json_string(r, &item->text))
			return false;
	} else if (!value(r)) {
		return false;
	}
	item->len = r->at - item->off;
	if (!*is_string)
		item->text = slice_sub(r->text, item->off, item->len);
	return true;
}

enum words_json_result words_json(struct slice text, struct arena *arena, struct words_list *out)
{
	struct reader r = {.text = text, .arena = arena};
	struct words_list list = {0};
	struct words_item bad = {.text = {0}};
	bool is_string, all = true;

	if (!words_json_eat(&r, '['))
		return WORDS_JSON_NO;
	if (!words_json_eat(&r, ']')) {
		do {
			struct words_item item;

			if (!element(&r, &item, &is_string))
				return WORDS_JSON_NO;
			if (!is_string && all)
				bad = item;
			all = all && is_string;
			list.items =
				arena_grow(arena, list.items, list.count, &list.cap, sizeof item);
			list.items[list.count++] = item;
		} while (words_json_eat(&r, ','));
		if (!words_json_eat(&r, ']'))
			return WORDS_JSON_NO;
	}
	blanks(&r);
	if (r.at != text.len)
		return WORDS_JSON_NO;
	if (!all)
		list.items[list.count - 1] = bad;
	if (out)
		*out = list;
	return all ? WORDS_JSON_YES : WORDS_JSON_NOTSTRING;
}
