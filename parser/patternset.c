// SPDX-License-Identifier: Apache-2.0
/*
 * A state is a bit: its token comes next. Every pattern has one behind its last token, the end.
 * A character moves the states whose token takes it by one, and those that take more stay. Which
 * these are is a mask for each class of characters between which no pattern makes a difference.
 *
 * States that are entered without a character (behind a star) are found by shifts, too. So that two
 * suffice, what stands together of stars is written shorter first: as one of "*", "**\/", both, or
 * anything.
 */
#include "parser/patternset.h"

#include <stdlib.h>
#include <string.h>

#include "parser/pattern_tokens.h"

struct patternset {
	size_t patterns;
	size_t words;          /* of states */
	uint64_t *ends;        /* states behind a last token */
	size_t *ends_before;   /* word -> ends in the words before it = its first pattern */
	uint64_t *stays;       /* states that a character does not end, if it is no '/' ... */
	uint64_t *stays_slash; /* ... and if it is */
	uint64_t *skips;       /* "*" and "**": the next state is entered, too */
	uint64_t *dirs;        /* "**\/": the next two are */
	uint64_t *start;
	uint32_t *bounds; /* first characters of all classes but the first, ascending */
	size_t nbounds;
	uint64_t *slash;         /* states that '/' moves */
	uint64_t *usual;         /* that other characters move when no pattern names them */
	struct class *classes;   /* nbounds + 1 */
	struct endpoint *places; /* of characters and [...] */
	size_t nplaces;
};

/* Characters between which no pattern makes a difference, and the states that they move. */
struct class
{
	uint64_t *mask;  /* these; NULL: those of usual, but for some: */
	uint32_t *flips; /* these */
	size_t nflips;
};

struct endpoint {
	const struct pattern *pattern;
	const struct token *token;
	size_t state;
};

static void set_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] |= UINT64_C(1) << i % 64;
}

static void *patternset_allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

/* --- making ----------------------------------------------------------------------------------- */

static bool is_star(const struct token *t)
{
	return t->kind == TOKEN_STAR || t->kind == TOKEN_REST || t->kind == TOKEN_DIRS ||
	       t->kind == TOKEN_INSIDE;
}

/* Stars that stand together: "*", "**\/" or both in this order, else anything. A "*" behind "**\/"
 * takes what that left. */
static void add_stars(struct patternset *s, const struct token *t, size_t n, size_t *state)
{
	bool star = false, dirs = false, rest = false;

	for (size_t i = 0; i < n; i++) {
		rest = rest || t[i].kind == TOKEN_REST || (t[i].kind == TOKEN_STAR && dirs);
		star = star || t[i].kind == TOKEN_STAR;
		dirs = dirs || t[i].kind == TOKEN_DIRS;
	}
	if (rest || star) {
		set_bit(s->skips, *state);
		set_bit(s->stays, *state);
		if (rest)
			set_bit(s->stays_slash, *state);
		++*state;
	}
	if (rest || !dirs)
		return;
	set_bit(s->dirs, (*state)++);
	set_bit(s->stays, *state);
	set_bit(s->slash, *state);
	set_bit(s->stays_slash, (*state)++);
}

static void add_pattern(struct patternset *s, const struct pattern *p, size_t *state)
{
	size_t n, together;
	const struct token *t = pattern_tokens(p, &n);

	set_bit(s->start, *state);
	for (size_t i = 0; i < n; i += together) {
		struct endpoint here = {p, &t[i], *state};

		for (together = 0; i + together < n && is_star(&t[i + together]); together++)
			;
		if (together) {
			add_stars(s, &t[i], together, state);
			continue;
		}
		together = 1;
		if (t[i].kind == TOKEN_ANY || (t[i].kind == TOKEN_CLASS && t[i].negated))
			set_bit(s->usual, *state);
		if (t[i].kind == TOKEN_CHAR && t[i].rune == '/')
			set_bit(s->slash, *state);
		else if (t[i].kind != TOKEN_ANY)
			s->places[s->nplaces++] = here;
		++*state;
	}
	set_bit(s->ends, (*state)++);
}

static int by_rune(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The ranges of a place; one is made of a plain character. */
static const struct range *ranges_of(const struct endpoint *at, struct range *room, size_t *n)
{
	*n = 1;
	*room = (struct range){at->token->rune, at->token->rune};
	if (at->token->kind == TOKEN_CHAR)
		return room;
	*n = at->token->count;
	return pattern_ranges(at->pattern) + at->token->first;
}

static void make_bounds(struct patternset *s, struct arena *arena)
{
	size_t total = 0, n = 0, unique = 0;
	struct range room;

	for (size_t i = 0; i < s->nplaces; i++) {
		ranges_of(&s->places[i], &room, &n);
		total += n;
	}
	s->bounds = arena_array(arena, 2 * total + 1, sizeof *s->bounds);
	for (size_t i = 0; i < s->nplaces; i++) {
		const struct range *r = ranges_of(&s->places[i], &room, &n);

		for (size_t k = 0; k < n; k++) {
			if (r[k].low > r[k].high)
				continue;
			s->bounds[s->nbounds++] = r[k].low;
			s->bounds[s->nbounds++] =
				r[k].high + 1; /* no character is the last number */
		}
	}
	qsort(s->bounds, s->nbounds, sizeof *s->bounds, by_rune);
	for (size_t i = 0; i < s->nbounds; i++)
		if (unique == 0 || s->bounds[unique - 1] != s->bounds[i])
			s->bounds[unique++] = s->bounds[i];
	s->nbounds = unique;
}

static size_t patternset_class_of(const struct patternset *s, uint32_t rune)
{
	size_t low = 0, high = s->nbounds;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->bounds[middle] <= rune)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Classes from first to last. */
struct span_of_classes {
	size_t first, last;
};

static int by_first(const void *a, const void *b)
{
	const struct span_of_classes *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Those that a place names, in spans that do not touch; to be freed. */
static struct span_of_classes *spans_of(
	const struct patternset *s, const struct endpoint *at, size_t *n)
{
	struct range room;
	size_t ranges, merged = 0;
	const struct range *r = ranges_of(at, &room, &ranges);
	struct span_of_classes *v = patternset_allocate(ranges + 1, sizeof *v);

	*n = 0;
	for (size_t i = 0; i < ranges; i++)
		if (r[i].low <= r[i].high)
			v[(*n)++] = (struct span_of_classes){patternset_class_of(s, r[i].low),
				patternset_class_of(s, r[i].high)};
	qsort(v, *n, sizeof *v, by_first);
	for (size_t i = 0; i < *n; i++) {
		if (!merged || v[i].first > v[merged - 1].last)
			v[merged++] = v[i];
		else if (v[i].last > v[merged - 1].last)
			v[merged - 1].last = v[i].last;
	}
	*n = merged;
	return v;
}

/* How many places name each class. */
static void count_flips(struct patternset *s)
{
	size_t *change = patternset_allocate(s->nbounds + 2, sizeof *change), now = 0, n;

	for (size_t i = 0; i < s->nplaces; i++) {
		struct span_of_classes *v = spans_of(s, &s->places[i], &n);

		for (size_t k = 0; k < n; k++) {
			change[v[k].first]++;
			change[v[k].last + 1]--;
		}
		free(v);
	}
	for (size_t i = 0; i <= s->nbounds; i++) {
		now += change[i];
		s->classes[i].nflips = now;
	}
	free(change);
}

/* A mask for those that have more flips than it has words. False where all that takes too much. */
static bool patternset_make_room(struct patternset *s, struct arena *arena)
{
	size_t bytes = 0;

	for (size_t i = 0; i <= s->nbounds; i++) {
		const struct class *c = &s->classes[i];

		bytes += c->nflips > s->words ? s->words * sizeof *c->mask
					      : c->nflips * sizeof *c->flips;
		if (bytes > PATTERNSET_MASKS_MAX)
			return false;
	}
	for (size_t i = 0; i <= s->nbounds; i++) {
		struct class *c = &s->classes[i];

		if (c->nflips > s->words) {
			c->mask = arena_array(arena, s->words, sizeof *c->mask);
			memcpy(c->mask, s->usual, s->words * sizeof *c->mask);
		} else if (c->nflips) {
			c->flips = arena_array(arena, c->nflips, sizeof *c->flips);
		}
		c->nflips = 0;
	}
	return true;
}

static void flip(uint64_t *bits, size_t i)
{
	bits[i / 64] ^= UINT64_C(1) << i % 64;
}

static bool make_classes(struct patternset *s, struct arena *arena)
{
	size_t n;

	s->classes = arena_array(arena, s->nbounds + 1, sizeof *s->classes);
	count_flips(s);
	if (!patternset_make_room(s, arena))
		return false;
	for (size_t i = 0; i < s->nplaces; i++) {
		struct span_of_classes *v = spans_of(s, &s->places[i], &n);

		for (size_t k = 0; k < n; k++)
			for (size_t at = v[k].first; at <= v[k].last; at++) {
				struct class *c = &s->classes[at];

				if (c->mask)
					flip(c->mask, s->places[i].state);
				else
					c->flips[c->nflips++] = (uint32_t)s->places[i].state;
			}
		free(v);
	}
	return true;
}

static void count_ends(struct patternset *s)
{
	size_t n = 0;

	for (size_t w = 0; w < s->words; w++) {
		s->ends_before[w] = n;
		n += (size_t)__builtin_popcountll(s->ends[w]);
	}
}

struct patternset *patternset_new(
	struct arena *arena, const struct pattern *const *patterns, size_t count)
{
	struct patternset *s = arena_alloc(arena, sizeof *s);
	size_t states = count + 1, n, state = 0;

	for (size_t i = 0; i < count; i++) {
		pattern_tokens(patterns[i], &n);
		states += n;
	}
	s->patterns = count;
	s->words = PATTERNSET_WORDS(states);
	uint64_t **const bits[] = {&s->ends, &s->stays, &s->stays_slash, &s->skips, &s->dirs,
		&s->usual, &s->slash, &s->start};
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		*bits[i] = arena_array(arena, s->words, sizeof(uint64_t));
	s->ends_before = arena_array(arena, s->words, sizeof *s->ends_before);
	s->places = arena_array(arena, states, sizeof *s->places);
	for (size_t i = 0; i < count; i++)
		add_pattern(s, patterns[i], &state);
	count_ends(s);
	make_bounds(s, arena);
	return make_classes(s, arena) ? s : NULL;
}

/* --- testing ---------------------------------------------------------------------------------- */

/* The states that are entered with those in the word, and from the words before it by what moves
 * out of them: bits[0] by one, bits[1] by two. */
static uint64_t patternset_enter(
	const struct patternset *s, size_t w, uint64_t now, uint64_t carry[2])
{
	uint64_t one = now & s->skips[w], two;

	now |= one << 1 | carry[0];
	two = now & s->dirs[w];
	now |= two << 1 | two << 2 | carry[1];
	carry[0] = one >> 63;
	carry[1] = two >> 63 | two >> 62;
	return now;
}

static void patternset_begin(const struct patternset *s, uint64_t *now)
{
	uint64_t carry[2] = {0, 0};

	for (size_t w = 0; w < s->words; w++)
		now[w] = patternset_enter(s, w, s->start[w], carry);
}

/* One character moves all states. */
static void patternset_advance(
	const struct patternset *s, const uint64_t *mask, bool slash, uint64_t *now)
{
	const uint64_t *stays = slash ? s->stays_slash : s->stays;
	uint64_t moved = 0, carry[2] = {0, 0};

	for (size_t w = 0; w < s->words; w++) {
		uint64_t move, next;

		if (!(now[w] | moved | carry[0] | carry[1]))
			continue;
		move = now[w] & mask[w];
		next = move << 1 | moved | (now[w] & stays[w]);
		moved = move >> 63;
		now[w] = patternset_enter(s, w, next, carry);
	}
}

/* Bit of a pattern: as many ends are before the state. */
static void set_pattern(const struct patternset *s, size_t w, uint64_t bit, uint64_t *out)
{
	uint64_t before = s->ends[w] & (bit - 1);

	set_bit(out, s->ends_before[w] + (size_t)__builtin_popcountll(before));
}

static void take_ends(const struct patternset *s, const uint64_t *now, uint64_t *out)
{
	for (size_t w = 0; w < s->words; w++)
		for (uint64_t bits = now[w] & s->ends[w]; bits; bits &= bits - 1)
			set_pattern(s, w, bits & -bits, out);
}

/* Patterns that have a state but the end. */
static void take_alive(const struct patternset *s, const uint64_t *now, uint64_t *out)
{
	for (size_t w = 0; w < s->words; w++)
		for (uint64_t bits = now[w] & ~s->ends[w]; bits; bits &= bits - 1)
			set_pattern(s, w, bits & -bits, out);
}

static void take_rune(const struct patternset *s, uint32_t rune, uint64_t *usual, uint64_t *now)
{
	const struct class *c;

	if (rune == '/') {
		patternset_advance(s, s->slash, true, now);
		return;
	}
	c = &s->classes[patternset_class_of(s, rune)];
	for (size_t i = 0; i < c->nflips; i++)
		flip(usual, c->flips[i]);
	patternset_advance(s, c->mask ? c->mask : usual, false, now);
	for (size_t i = 0; i < c->nflips; i++)
		flip(usual, c->flips[i]);
}

void patternset_test(
	const struct patternset *s, struct slice path, uint64_t *parents, uint64_t *below)
{
	uint64_t *now = patternset_allocate(2 * s->words, sizeof *now), *usual = now + s->words;
	uint32_t rune;

	memset(parents, 0, PATTERNSET_WORDS(s->patterns) * sizeof *parents);
	memcpy(usual, s->usual, s->words * sizeof *usual);
	patternset_begin(s, now);
	while (path.len > 0) {
		if (path.ptr[0] == '/')
			take_ends(s, now, parents);
		path = slice_from(path, pattern_decode(path, &rune));
		take_rune(s, rune, usual, now);
	}
	take_ends(s, now, parents);
	if (below) {
		memset(below, 0, PATTERNSET_WORDS(s->patterns) * sizeof *below);
		take_rune(s, '/', usual, now);
		take_alive(s, now, below);
	}
	free(now);
}
