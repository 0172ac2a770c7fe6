// SPDX-License-Identifier: Apache-2.0
/*
 * A pattern becomes a chain of tokens; matching walks the name once with the set of tokens that can
 * come next (a nondeterministic automaton). The set moves by at most two tokens for a character, so
 * it never grows beyond the name. It is the bits of a word where they suffice, else a list.
 */
#include "parser/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "parser/pattern_tokens.h"
#include "parser/utf8.h"

#define INVALID_BYTE 0x80000000u
#define STACK_STATES 64
#define WORD_STATES  64 /* bits of a word; one is for the end */

struct pattern {
	struct token *tokens; /* owned */
	size_t count;
	struct range *ranges; /* owned */
	size_t nranges;
	char *bytes;      /* of all TOKEN_CHAR, in their order; owned */
	struct run *runs; /* what of them stands together; owned */
	size_t nruns;
	uint64_t *closure; /* states entered with a state; NULL = too many for a word; owned */
	size_t slashes;    /* in every name, when not deep */
	bool deep;         /* has a token that takes any number of '/' */
};

struct run {
	size_t at, len;
};

size_t pattern_decode(struct slice s, uint32_t *rune)
{
	size_t len = utf8_decode(s, rune);

	if (*rune == UTF8_INVALID)
		*rune = INVALID_BYTE | (unsigned char)s.ptr[0];
	return len;
}

/* A character of a class; false where none can stand. */
static bool class_char(struct slice *s, uint32_t *rune)
{
	if (s->len == 0 || s->ptr[0] == '-' || s->ptr[0] == ']')
		return false;
	if (s->ptr[0] == '\\') {
		*s = slice_from(*s, 1);
		if (s->len == 0)
			return false;
	}
	*s = slice_from(*s, pattern_decode(*s, rune));
	return true;
}

/* Behind the [. */
static bool read_class(struct pattern *p, struct slice *s, struct token *t)
{
	t->kind = TOKEN_CLASS;
	t->first = p->nranges;
	t->negated = s->len > 0 && s->ptr[0] == '^';
	if (t->negated)
		*s = slice_from(*s, 1);
	while (t->count == 0 || s->len == 0 || s->ptr[0] != ']') {
		struct range r;

		if (!class_char(s, &r.low))
			return false;
		r.high = r.low;
		if (s->len > 0 && s->ptr[0] == '-') {
			*s = slice_from(*s, 1);
			if (!class_char(s, &r.high))
				return false;
		}
		p->ranges[p->nranges++] = r;
		t->count++;
	}
	*s = slice_from(*s, 1);
	return true;
}

static void pattern_push(struct pattern *p, struct token t)
{
	if (t.kind == TOKEN_STAR && p->count && p->tokens[p->count - 1].kind == TOKEN_STAR)
		return;
	p->tokens[p->count++] = t;
}

/* Behind **. */
static void double_star(struct pattern *p, struct slice *s)
{
	bool plain = p->count == 0;

	for (size_t i = 0; i < s->len && plain; i++)
		plain = !strchr("*?[]\\", s->ptr[i]);
	if (s->len == 0 || (plain && s->ptr[0] != '/')) {
		pattern_push(p, (struct token){.kind = TOKEN_REST});
		return;
	}
	if (s->ptr[0] == '/')
		*s = slice_from(*s, 1);
	pattern_push(p, (struct token){.kind = TOKEN_DIRS});
	pattern_push(p, (struct token){.kind = TOKEN_INSIDE});
}

static bool compile(struct pattern *p, struct slice s, enum pattern_dialect dialect)
{
	while (s.len > 0) {
		struct token t = {.kind = TOKEN_CHAR};
		char c = s.ptr[0];

		if (dialect == PATTERN_IGNORE && slice_starts(s, "**")) {
			s = slice_from(s, 2);
			double_star(p, &s);
			continue;
		}
		if (c == '[') {
			s = slice_from(s, 1);
			if (!read_class(p, &s, &t))
				return false;
			pattern_push(p, t);
			continue;
		}
		if (c == '\\') {
			s = slice_from(s, 1);
			if (s.len == 0)
				return false;
		} else if (c == '*') {
			t.kind = TOKEN_STAR;
		} else if (c == '?') {
			t.kind = TOKEN_ANY;
		}
		s = slice_from(s, pattern_decode(s, &t.rune));
		pattern_push(p, t);
	}
	return true;
}

static void *pattern_allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

static size_t pattern_encode(uint32_t rune, char *out)
{
	if (rune < 0x80 || rune & INVALID_BYTE) {
		out[0] = (char)(unsigned char)rune;
		return 1;
	}
	size_t n = rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};

	for (size_t i = n - 1; i > 0; i--, rune >>= 6)
		out[i] = (char)(0x80 | (rune & 0x3F));
	out[0] = (char)(first[n] | rune);
	return n;
}

static void take_literals(struct pattern *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct token *t = &p->tokens[i];
		bool goes_on = i > 0 && p->tokens[i - 1].kind == TOKEN_CHAR;

		p->deep = p->deep || t->kind == TOKEN_REST || t->kind == TOKEN_DIRS;
		if (t->kind != TOKEN_CHAR)
			continue;
		p->slashes += t->rune == '/';
		if (!goes_on)
			p->runs[p->nruns++].at = n;
		n += pattern_encode(t->rune, p->bytes + n);
		p->runs[p->nruns - 1].len = n - p->runs[p->nruns - 1].at;
	}
}

/* What is entered with a state and no character. */
static void take_closure(struct pattern *p)
{
	if (p->count >= WORD_STATES)
		return;
	p->closure = pattern_allocate(p->count + 1, sizeof *p->closure);
	for (size_t i = p->count + 1; i-- > 0;) {
		enum token_kind kind = i < p->count ? p->tokens[i].kind : TOKEN_CHAR;

		p->closure[i] = UINT64_C(1) << i;
		if (kind == TOKEN_STAR || kind == TOKEN_REST)
			p->closure[i] |= p->closure[i + 1];
		else if (kind == TOKEN_DIRS)
			p->closure[i] |= p->closure[i + 2];
	}
}

struct pattern *pattern_new(struct slice text, enum pattern_dialect dialect)
{
	struct pattern *p = pattern_allocate(1, sizeof *p);

	/* No token or range takes less than one byte of the text. */
	p->tokens = pattern_allocate(text.len + 1, sizeof *p->tokens);
	p->ranges = pattern_allocate(text.len + 1, sizeof *p->ranges);
	p->bytes = pattern_allocate(text.len + 1, 1);
	p->runs = pattern_allocate(text.len + 1, sizeof *p->runs);
	if (compile(p, text, dialect)) {
		take_literals(p);
		take_closure(p);
		return p;
	}
	pattern_free(p);
	return NULL;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	free(p->tokens);
	free(p->ranges);
	free(p->bytes);
	free(p->runs);
	free(p->closure);
	free(p);
}

/* States the automaton can be in, ascending; state i = token i comes next, count = accepted. */
struct states {
	size_t *items;
	size_t count;
};

/* Add a state and what follows it without a character. States are added in ascending order but for
 * small steps back. */
static void pattern_enter(const struct pattern *p, struct states *set, size_t state)
{
	for (;;) {
		for (size_t i = set->count; i > 0 && set->items[i - 1] >= state; i--)
			if (set->items[i - 1] == state)
				return;
		{
			size_t at = set->count++;

			for (; at > 0 && set->items[at - 1] > state; at--)
				set->items[at] = set->items[at - 1];
			set->items[at] = state;
		}
		if (state == p->count)
			return;
		if (p->tokens[state].kind == TOKEN_STAR || p->tokens[state].kind == TOKEN_REST)
			state++;
		else if (p->tokens[state].kind == TOKEN_DIRS)
			state += 2;
		else
			return;
	}
}

static bool pattern_in_class(const struct pattern *p, const struct token *t, uint32_t rune)
{
	bool found = false;

	for (size_t i = t->first; i < t->first + t->count && !found; i++)
		found = p->ranges[i].low <= rune && rune <= p->ranges[i].high;
	return found != t->negated;
}

static void pattern_advance(
	const struct pattern *p, size_t state, uint32_t rune, struct states *next)
{
	const struct token *t = &p->tokens[state];

	if (state == p->count)
		return;
	switch (t->kind) {
	case TOKEN_CHAR:
		if (rune == t->rune)
			pattern_enter(p, next, state + 1);
		return;
	case TOKEN_ANY:
		if (rune != '/')
			pattern_enter(p, next, state + 1);
		return;
	case TOKEN_CLASS:
		if (rune != '/' && pattern_in_class(p, t, rune))
			pattern_enter(p, next, state + 1);
		return;
	case TOKEN_STAR:
		if (rune != '/')
			pattern_enter(p, next, state);
		return;
	case TOKEN_REST:
		pattern_enter(p, next, state);
		return;
	case TOKEN_DIRS:
	case TOKEN_INSIDE: {
		size_t inside = t->kind == TOKEN_DIRS ? state + 1 : state;

		pattern_enter(p, next, inside);
		if (rune == '/')
			pattern_enter(p, next, inside + 1);
		return;
	}
	}
}

enum question { WHOLE, PARENTS, BELOW };

static size_t slashes(struct slice name)
{
	size_t n = 0;

	for (size_t i = 0; i < name.len; i++)
		n += name.ptr[i] == '/';
	return n;
}

/* What matches begins with the literal in front, and so does a path of which a parent matches.
 * Below a directory a name can go on as the literal does. Likewise with the number of components.
 */
static bool may_begin(const struct pattern *p, struct slice name, enum question what)
{
	bool literal = p->count > 0 && p->tokens[0].kind == TOKEN_CHAR;
	size_t n = literal ? p->runs[0].len : 0;

	if (n > name.len) {
		if (what != BELOW)
			return false;
		n = name.len;
	}
	if (n > 0 && memcmp(p->bytes, name.ptr, n) != 0)
		return false;
	return what != BELOW || p->deep || p->slashes > slashes(name);
}

static uint64_t advance_word(const struct pattern *p, uint64_t now, uint32_t rune)
{
	uint64_t next = 0, end = UINT64_C(1) << p->count;
	bool slash = rune == '/';

	for (now &= ~end; now; now &= now - 1) {
		size_t state = (size_t)__builtin_ctzll(now);
		const struct token *t = &p->tokens[state];

		switch (t->kind) {
		case TOKEN_CHAR:
			next |= rune == t->rune ? p->closure[state + 1] : 0;
			break;
		case TOKEN_ANY:
			next |= slash ? 0 : p->closure[state + 1];
			break;
		case TOKEN_CLASS:
			next |= !slash && pattern_in_class(p, t, rune) ? p->closure[state + 1] : 0;
			break;
		case TOKEN_STAR:
			next |= slash ? 0 : p->closure[state];
			break;
		case TOKEN_REST:
			next |= p->closure[state];
			break;
		case TOKEN_DIRS:
			state++;
			__attribute__((fallthrough));
		case TOKEN_INSIDE:
			next |= p->closure[state] | (slash ? p->closure[state + 1] : 0);
			break;
		}
	}
	return next;
}

static bool walk_word(const struct pattern *p, struct slice name, enum question what)
{
	uint64_t now = p->closure[0], end = UINT64_C(1) << p->count;
	uint32_t rune;

	while (name.len > 0 && now) {
		if (what == PARENTS && name.ptr[0] == '/' && now & end)
			return true;
		if ((unsigned char)name.ptr[0] < 0x80) {
			rune = (unsigned char)name.ptr[0];
			name = slice_from(name, 1);
		} else {
			name = slice_from(name, pattern_decode(name, &rune));
		}
		now = advance_word(p, now, rune);
	}
	if (what != BELOW)
		return now & end;
	/* Accepted right behind the slash is the directory itself, which is not below it. */
	return advance_word(p, now, '/') & ~end;
}

const struct token *pattern_tokens(const struct pattern *p, size_t *count)
{
	*count = p->count;
	return p->tokens;
}

const struct range *pattern_ranges(const struct pattern *p)
{
	return p->ranges;
}

static bool accepted(const struct pattern *p, const struct states *set)
{
	return set->count > 0 && set->items[set->count - 1] == p->count;
}

static bool pattern_walk(const struct pattern *p, struct slice name, enum question what,
	struct states now, struct states next)
{
	uint32_t rune;

	pattern_enter(p, &now, 0);
	while (name.len > 0 && now.count > 0) {
		struct states spent = now;

		if (what == PARENTS && name.ptr[0] == '/' && accepted(p, &now))
			return true;
		name = slice_from(name, pattern_decode(name, &rune));
		next.count = 0;
		for (size_t i = 0; i < now.count; i++)
			pattern_advance(p, now.items[i], rune, &next);
		now = next;
		next = spent;
	}
	if (what != BELOW)
		return now.count > 0 && accepted(p, &now);
	next.count = 0;
	for (size_t i = 0; i < now.count; i++)
		pattern_advance(p, now.items[i], '/', &next);
	/* Accepted right behind the slash is the directory itself, which is not below it. */
	return next.count > (size_t)accepted(p, &next);
}

static bool ask(const struct pattern *p, struct slice name, enum question what)
{
	size_t room[2 * STACK_STATES];
	size_t *heap = NULL;
	size_t n = p->count + 1;
	bool answer;

	if (!may_begin(p, name, what))
		return false;
	if (p->closure)
		return walk_word(p, name, what);
	if (n > STACK_STATES)
		heap = pattern_allocate(2 * n, sizeof *heap);
	answer = pattern_walk(p, name, what, (struct states){heap ? heap : room, 0},
		(struct states){heap ? heap + n : room + STACK_STATES, 0});
	free(heap);
	return answer;
}

bool pattern_test(const struct pattern *p, struct slice name)
{
	return ask(p, name, WHOLE);
}

bool pattern_test_parents(const struct pattern *p, struct slice path)
{
	return ask(p, path, PARENTS);
}

bool pattern_literal(const struct pattern *p, size_t k, struct slice *out)
{
	if (k >= p->nruns)
		return false;
	*out = (struct slice){p->bytes + p->runs[k].at, p->runs[k].len};
	return true;
}

bool pattern_test_below(const struct pattern *p, struct slice dir)
{
	return ask(p, dir, BELOW);
}

enum pattern_result pattern_match(struct slice pattern, struct slice name)
{
	struct pattern *p = pattern_new(pattern, PATTERN_FILE);
	bool yes;

	if (!p)
		return PATTERN_BAD;
	yes = pattern_test(p, name);
	pattern_free(p);
	return yes ? PATTERN_YES : PATTERN_NO;
}

bool pattern_has_wildcard(struct slice pattern)
{
	for (size_t i = 0; i < pattern.len; i++) {
		if (pattern.ptr[i] == '\\')
			i++;
		else if (pattern.ptr[i] == '*' || pattern.ptr[i] == '?' || pattern.ptr[i] == '[')
			return true;
	}
	return false;
}

size_t pattern_literal_prefix(struct slice pattern)
{
	size_t slash = 0;

	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];

		if (c == '*' || c == '?' || c == '[')
			return slash;
		if (c == '\\')
			i++;
		else if (c == '/')
			slash = i + 1;
	}
	return pattern.len;
}
