// SPDX-License-Identifier: Apache-2.0
/*
 * A recursive descent over the raw text. Each ${...} operand is expanded by the same loop with a
 * stop character; its result lies in a heap buffer of its own level, so peak memory is bounded by
 * depth times EXPAND_OUTPUT_MAX, and all work together by WORK_MAX.
 */
#include "parser/expand.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/expand_glob.h"

#define WORK_MAX ((size_t)16 * 1024 * 1024) /* bytes copied and pattern steps */

struct buffer {
	char *ptr; /* owned */
	size_t len;
	size_t cap;
};

struct words {
	struct arena *arena;
	struct slice *items;
	size_t count;
	size_t cap;
	struct buffer word;
};

struct expander {
	const struct expand_env *env;
	struct slice text;
	size_t at;
	size_t piece; /* where what is being expanded now began, for messages */
	size_t work;
	unsigned depth;
	bool quotes; /* false: quote characters are ordinary */
	char escape;
	struct words *words; /* top level only; NULL = no splitting */
	struct expand_error *error;
};

enum operand { OPERAND_WORD, OPERAND_PATTERN }; /* patterns keep their escapes */

#define NO_STOP (-1)

static int expand_fail(struct expander *x, enum expand_error_kind kind, size_t offset,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int expand_fail(
	struct expander *x, enum expand_error_kind kind, size_t offset, const char *fmt, ...)
{
	va_list args;

	x->error->kind = kind;
	x->error->offset = offset;
	va_start(args, fmt);
	vsnprintf(x->error->message, sizeof x->error->message, fmt, args);
	va_end(args);
	return -1;
}

static int expand_work(struct expander *x, size_t amount)
{
	if (amount > WORK_MAX - x->work)
		return expand_fail(x, EXPAND_LIMIT, x->piece, "expansion takes too much work");
	x->work += amount;
	return 0;
}

static int expand_append(struct expander *x, struct buffer *b, struct slice s)
{
	if (s.len == 0)
		return 0;
	if (s.len > EXPAND_OUTPUT_MAX - b->len)
		return expand_fail(x, EXPAND_LIMIT, x->piece, "result is longer than %d bytes",
			EXPAND_OUTPUT_MAX);
	if (expand_work(x, s.len) < 0)
		return -1;
	if (b->cap - b->len < s.len) {
		size_t cap = b->cap ? b->cap : 64;
		char *bigger;

		while (cap - b->len < s.len)
			cap *= 2;
		bigger = realloc(b->ptr, cap);
		if (!bigger)
			abort();
		b->ptr = bigger;
		b->cap = cap;
	}
	assert(b->ptr); /* there is room for a byte at least */
	memcpy(b->ptr + b->len, s.ptr, s.len);
	b->len += s.len;
	return 0;
}

static struct slice expand_view(const struct buffer *b)
{
	return (struct slice){b->ptr ? b->ptr : "", b->len};
}

static void word_done(struct words *w)
{
	if (w->word.len == 0) /* "" makes no word */
		return;
	w->items = arena_grow(w->arena, w->items, w->count, &w->cap, sizeof *w->items);
	w->items[w->count++] = arena_copy(w->arena, expand_view(&w->word));
	w->word.len = 0;
}

/* Text of the result. Blanks in it end a word when splitting, unless it was quoted. */
static int expand_emit(struct expander *x, struct buffer *out, struct slice s, bool quoted)
{
	struct words *w = out ? NULL : x->words;

	if (!w)
		return expand_append(x, out, s);
	while (s.len > 0) {
		size_t n = 0;

		while (n < s.len && (quoted || !slice_is_blank(s.ptr[n])))
			n++;
		if (expand_append(x, &w->word, slice_sub(s, 0, n)) < 0)
			return -1;
		if (n < s.len) {
			word_done(w);
			n++;
		}
		s = slice_from(s, n);
	}
	return 0;
}

static int expand_peek(const struct expander *x)
{
	return x->at < x->text.len ? (unsigned char)x->text.ptr[x->at] : -1;
}

static int dollar(struct expander *x, struct buffer *out, bool quoted);

static int single_quote(struct expander *x, struct buffer *out)
{
	size_t open = x->at++;
	size_t end = slice_find(x->text, '\'', x->at);
	struct slice inside = slice_sub(x->text, x->at, end - x->at);

	if (end == x->text.len)
		return expand_fail(x, EXPAND_QUOTE, open, "single quote is not closed");
	x->at = end + 1;
	return expand_emit(x, out, inside, true);
}

static int double_quote(struct expander *x, struct buffer *out)
{
	size_t open = x->at++;

	for (;;) {
		int c = expand_peek(x);
		struct slice one = slice_sub(x->text, x->at, 1);

		if (c == -1)
			return expand_fail(x, EXPAND_QUOTE, open, "double quote is not closed");
		if (c == '"') {
			x->at++;
			return 0;
		}
		if (c == '$') {
			if (dollar(x, out, true) < 0)
				return -1;
			continue;
		}
		x->at++;
		if (c == x->escape) {
			int next = expand_peek(x);

			if (next == '"' || next == '$' || next == x->escape) {
				one = slice_sub(x->text, x->at, 1);
				x->at++;
			}
		}
		if (expand_emit(x, out, one, true) < 0)
			return -1;
	}
}

/* One escape character and what it protects. */
static int expand_escaped(struct expander *x, struct buffer *out, enum operand as)
{
	struct slice pair = slice_sub(x->text, x->at, 2);

	x->at += pair.len;
	/* Patterns keep the escape for the matcher; at the end of the text it disappears. */
	if (as == OPERAND_PATTERN)
		return expand_emit(x, out, pair, true);
	return expand_emit(x, out, slice_from(pair, 1), true);
}

/* End of the plain text at a character that has no meaning; at least one byte is taken. */
static size_t plain_end(const struct expander *x, int stop)
{
	size_t at = x->at + 1;

	for (; at < x->text.len; at++) {
		char c = x->text.ptr[at];

		if ((unsigned char)c == stop || c == '$' || c == '\'' || c == '"' || c == x->escape)
			break;
	}
	return at;
}

/*
 * Expand up to the stop character, which is consumed, or the end. Returns 0, or -1 with the error.
 * out == NULL: the top level with splitting.
 */
static int expand_run(struct expander *x, int stop, enum operand as, struct buffer *out)
{
	size_t start = x->at;

	for (;;) {
		int c = expand_peek(x);
		size_t from = x->piece = x->at;
		int status;

		if (c == -1) {
			if (stop == NO_STOP)
				return 0;
			return expand_fail(
				x, EXPAND_BRACE, start, "\"${\" is not closed by \"%c\"", stop);
		}
		if (c == stop) {
			x->at++;
			return 0;
		}
		if (c == '$') {
			status = dollar(x, out, false);
		} else if (x->quotes && c == '\'') {
			status = single_quote(x, out);
		} else if (x->quotes && c == '"') {
			status = double_quote(x, out);
		} else if (c == x->escape) {
			status = expand_escaped(x, out, as);
		} else {
			x->at = plain_end(x, stop);
			status = expand_emit(x, out, slice_sub(x->text, from, x->at - from), false);
		}
		if (status < 0)
			return -1;
	}
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static struct slice expand_read_name(struct expander *x)
{
	size_t from = x->at;
	int c = expand_peek(x);

	if (is_digit(c)) {
		while (is_digit(expand_peek(x)))
			x->at++;
	} else if (c != -1 && c != 0 && strchr("@*#?-$!", c)) {
		x->at++;
	} else {
		while ((c = expand_peek(x)) == '_' || is_digit(c) || (c >= 'a' && c <= 'z') ||
			(c >= 'A' && c <= 'Z'))
			x->at++;
	}
	return slice_sub(x->text, from, x->at - from);
}

/* One ${...} while it is read. */
struct reference {
	size_t start; /* offset of the $ */
	struct slice name;
	struct slice value; /* "" when unset */
	bool set;
	bool quoted; /* inside double quotes: no splitting */
};

static void expand_look_up(struct expander *x, struct reference *r)
{
	r->value = SLICE("");
	r->set = x->env->lookup(x->env->ctx, r->name, &r->value);
	if (!r->set)
		r->value = SLICE("");
}

/* ${name-w} ${name+w} ${name?w}, with colon: empty counts as unset. */
static int by_presence(struct expander *x, const struct reference *r, char op, bool colon,
	struct slice word, struct buffer *out)
{
	bool missing = !r->set || (colon && r->value.len == 0);

	if (op == '-')
		return expand_emit(x, out, missing ? word : r->value, r->quoted);
	if (op == '+')
		return missing ? 0 : expand_emit(x, out, word, r->quoted);
	if (!missing)
		return expand_emit(x, out, r->value, r->quoted);
	if (word.len)
		return expand_fail(x, EXPAND_REQUIRED, r->start, "%.*s: %.*s",
			(int)(r->name.len < 100 ? r->name.len : 100), r->name.ptr,
			(int)(word.len < 300 ? word.len : 300), word.ptr);
	return expand_fail(x, EXPAND_REQUIRED, r->start, "%.*s: is not allowed to be %s",
		(int)(r->name.len < 100 ? r->name.len : 100), r->name.ptr,
		r->set ? "empty" : "unset");
}

static int pattern_failed(
	struct expander *x, const struct reference *r, enum expand_glob_status status)
{
	if (status == EXPAND_GLOB_WORK)
		return expand_fail(x, EXPAND_LIMIT, r->start, "expansion takes too much work");
	return expand_fail(x, EXPAND_PATTERN, r->start,
		"in a pattern %c may only protect * ? / } and itself", x->escape);
}

/* ${name#p} ${name##p} ${name%p} ${name%%p}; a doubled operator is the first character of the
 * pattern. */
static int expand_trim(struct expander *x, const struct reference *r, char op, struct slice pattern,
	struct buffer *out)
{
	bool longest = pattern.len > 0 && pattern.ptr[0] == op;
	struct slice rest;
	enum expand_glob_status status =
		expand_glob_trim(slice_from(pattern, longest), r->value, x->escape,
			(op == '%' ? EXPAND_GLOB_SUFFIX : 0) | (longest ? EXPAND_GLOB_LONGEST : 0),
			WORK_MAX, &x->work, &rest);

	if (status != EXPAND_GLOB_OK)
		return pattern_failed(x, r, status);
	return expand_emit(x, out, rest, r->quoted);
}

/* ${name/p/r} ${name//p/r}; the first / has been read. */
static int expand_replace(struct expander *x, const struct reference *r, struct buffer *out)
{
	struct buffer pattern = {0}, with = {0};
	struct expand_glob *glob = NULL;
	enum expand_glob_status status;
	struct slice value = r->value;
	bool all = expand_peek(x) == '/';
	int result = -1;

	if (all)
		x->at++;
	if (expand_run(x, '/', OPERAND_PATTERN, &pattern) < 0) {
		if (x->error->kind == EXPAND_BRACE && x->at == x->text.len)
			expand_fail(x, EXPAND_BRACE, x->error->offset,
				"the replacement is missing in ${%.*s/PATTERN/REPLACEMENT}",
				(int)(r->name.len < 100 ? r->name.len : 100), r->name.ptr);
		goto done;
	}
	if (expand_run(x, '}', OPERAND_WORD, &with) < 0)
		goto done;
	status = expand_glob_new(expand_view(&pattern), x->escape, &glob);
	if (status != EXPAND_GLOB_OK) {
		result = pattern_failed(x, r, status);
		goto done;
	}
	for (;;) {
		size_t from, to;

		status = expand_glob_find(glob, value, WORK_MAX, &x->work, &from, &to);
		if (status == EXPAND_GLOB_WORK) {
			result = pattern_failed(x, r, status);
			goto done;
		}
		if (status == EXPAND_GLOB_NONE)
			break;
		if (expand_emit(x, out, slice_sub(value, 0, from), r->quoted) < 0 ||
			expand_emit(x, out, expand_view(&with), r->quoted) < 0)
			goto done;
		value = slice_from(value, to);
		if (!all || value.len == 0)
			break;
	}
	result = expand_emit(x, out, value, r->quoted);
done:
	expand_glob_free(glob);
	free(pattern.ptr);
	free(with.ptr);
	return result;
}

static int bad_modifier(struct expander *x, const struct reference *r, bool colon)
{
	size_t n = x->at < x->text.len ? 1 : 0;

	if (n == 0)
		return expand_fail(x, EXPAND_BRACE, r->start, "\"${\" is not closed by \"}\"");
	while (x->at + n < x->text.len && ((unsigned char)x->text.ptr[x->at + n] & 0xC0) == 0x80)
		n++;
	return expand_fail(x, EXPAND_MODIFIER, r->start,
		"unsupported modifier \"%s%.*s\" in ${%.*s}", colon ? ":" : "", (int)n,
		x->text.ptr + x->at, (int)(r->name.len < 100 ? r->name.len : 100), r->name.ptr);
}

/* After the name in ${name: the rest up to and with }. */
static int braced(struct expander *x, struct reference *r, struct buffer *out)
{
	struct buffer word = {0};
	bool colon = expand_peek(x) == ':';
	int op, status;

	if (colon)
		x->at++;
	op = expand_peek(x);
	if (op == '}' && !colon) {
		x->at++;
		expand_look_up(x, r);
		return expand_emit(x, out, r->value, r->quoted);
	}
	if (op == -1 || op == 0 || !strchr(colon ? "-+?" : "-+?#%/", op)) {
		return bad_modifier(x, r, colon);
	}
	x->at++;
	expand_look_up(x, r);
	if (op == '/')
		return expand_replace(x, r, out);
	status = expand_run(x, '}', op == '#' || op == '%' ? OPERAND_PATTERN : OPERAND_WORD, &word);
	if (status == 0 && (op == '#' || op == '%'))
		status = expand_trim(x, r, (char)op, expand_view(&word), out);
	else if (status == 0)
		status = by_presence(x, r, (char)op, colon, expand_view(&word), out);
	free(word.ptr);
	return status;
}

/* At a $. */
static int dollar(struct expander *x, struct buffer *out, bool quoted)
{
	struct reference r = {.start = x->at++, .quoted = quoted};
	int status;

	if (expand_peek(x) != '{') {
		r.name = expand_read_name(x);
		if (r.name.len == 0)
			return expand_emit(x, out, SLICE("$"), quoted);
		expand_look_up(x, &r);
		return expand_emit(x, out, r.value, quoted);
	}
	x->at++;
	r.name = expand_read_name(x);
	if (r.name.len == 0)
		return expand_fail(x, EXPAND_BRACE, r.start,
			expand_peek(x) == -1 ? "\"${\" is not closed by \"}\""
					     : "no variable name after \"${\"");
	if (x->depth == EXPAND_DEPTH_MAX)
		return expand_fail(
			x, EXPAND_LIMIT, r.start, "nested deeper than %d", EXPAND_DEPTH_MAX);
	x->depth++;
	status = braced(x, &r, out);
	x->depth--;
	return status;
}

static int to_arena(struct expander *x, struct arena *arena, struct slice *out)
{
	struct buffer b = {0};
	int status = expand_run(x, NO_STOP, OPERAND_WORD, &b);

	if (status == 0)
		*out = arena_copy(arena, expand_view(&b));
	free(b.ptr);
	return status;
}

int expand_word(const struct expand_env *env, struct slice raw, struct arena *arena,
	struct slice *out, struct expand_error *error)
{
	struct expander x = {
		.env = env, .text = raw, .quotes = true, .escape = env->escape, .error = error};

	return to_arena(&x, arena, out);
}

int expand_heredoc(const struct expand_env *env, struct slice raw, struct arena *arena,
	struct slice *out, struct expand_error *error)
{
	struct expander x = {.env = env, .text = raw, .escape = '\\', .error = error};

	return to_arena(&x, arena, out);
}

int expand_words(const struct expand_env *env, struct slice raw, struct arena *arena,
	struct slice **out, size_t *count, struct expand_error *error)
{
	struct words words = {.arena = arena};
	struct expander x = {.env = env,
		.text = raw,
		.quotes = true,
		.escape = env->escape,
		.words = &words,
		.error = error};
	int status = expand_run(&x, NO_STOP, OPERAND_WORD, NULL);

	word_done(&words);
	free(words.word.ptr);
	if (status < 0)
		return -1;
	*out = words.items;
	*count = words.count;
	return 0;
}
