/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small formats inside instructions: exec form, blank-separated words, booleans, sizes,
 * durations.
 */
#ifndef BLD_PARSER_WORDS_H
#define BLD_PARSER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/arena.h"
#include "parser/slice.h"

enum words_json_result {
	WORDS_JSON_NO,       /* not a JSON array: shell form */
	WORDS_JSON_YES,      /* array of strings */
	WORDS_JSON_NOTSTRING /* valid JSON array, but an element is not a string: an error, not
				shell form */
};

/* A piece of a longer text: decoded or cut text and where it lies there. */
struct words_item {
	struct slice text;
	size_t off; /* in the text that was given */
	size_t len;
};

struct words_list {
	struct words_item *items;
	size_t count;
	size_t cap;
};

/* Exec form: the whole text must be one JSON array (blanks around it allowed). Strings are decoded
 * to UTF-8; lone surrogates become U+FFFD. For NOTSTRING the offending element is the last item.
 * Nesting is limited to 100. */
enum words_json_result words_json(struct slice text, struct arena *arena, struct words_list *out);

/* Cut at runs of blanks; quotes mean nothing. */
void words_blank(struct slice text, struct arena *arena, struct words_list *out);

/* Cut at blanks outside quotes, quotes and escapes kept; an escaped blank joins. An open quote runs
 * to the end. */
void words_quoted(struct slice text, char escape, struct arena *arena, struct words_list *out);

/* 1 t T TRUE true True, 0 f F FALSE false False. */
bool words_bool(struct slice text, bool *out);

/* Decimal, or octal digits for base 8; no sign, no prefix, at most max. */
bool words_number(struct slice text, unsigned base, uint64_t max, uint64_t *out);

/* Bytes with an optional unit: 64m, 64mb, 1.5g, 512k, 10b, 1gib; powers of 1024, any case. */
bool words_size(struct slice text, uint64_t *out);

/* Duration as Go writes it: 1h30m, 1.5s, 300ms, 0; units ns us µs ms s m h. Nanoseconds, may be
 * negative. */
bool words_duration(struct slice text, int64_t *out);

#endif
