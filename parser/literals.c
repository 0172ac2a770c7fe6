// SPDX-License-Identifier: Apache-2.0
/*
 * A rolling hash of each length that occurs moves over the text; where it is that of a literal, the
 * bytes are compared. A table of hashes with open addressing, never more than a quarter full.
 */
#include "parser/literals.h"

#include <stdbool.h>
#include <string.h>

#define BASE UINT64_C(0x9E3779B97F4A7C15) /* odd, so that no power of it is 0 */

struct literal {
	uint64_t hash;
	const char *bytes; /* of the pattern; NULL = this place is free */
	size_t len;
	size_t uses;  /* how many patterns have it, whether filed under it or not */
	size_t first; /* pattern filed under it, + 1; 0 = none */
};

struct literals {
	struct literal *table;
	size_t mask;      /* places - 1 */
	size_t *next;     /* pattern -> the next one of the same literal, + 1 */
	uint64_t *always; /* bits of patterns without a literal */
	size_t count;
	bool lengths[LITERALS_LENGTH_MAX + 1]; /* of those that patterns are filed under */
};

static uint64_t literals_hash_of(const char *bytes, size_t len)
{
	uint64_t h = 0;

	for (size_t i = 0; i < len; i++)
		h = h * BASE + (unsigned char)bytes[i] + 1;
	return h;
}

/* Low bits of a product know nothing of high ones of its factors. */
static size_t literals_place_of(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0xD6E8FEB86659FD93);
	return (size_t)(hash ^ hash >> 32);
}

static struct literal *literals_look(
	const struct literals *l, uint64_t hash, const char *bytes, size_t len)
{
	for (size_t at = literals_place_of(hash);; at++) {
		struct literal *x = &l->table[at & l->mask];

		if (!x->bytes ||
			(x->hash == hash && x->len == len && memcmp(x->bytes, bytes, len) == 0))
			return x;
	}
}

static struct slice shortened(struct slice run)
{
	return slice_sub(run, 0, LITERALS_LENGTH_MAX);
}

static struct literal *literals_add(struct literals *l, struct slice run)
{
	uint64_t hash = literals_hash_of(run.ptr, run.len);
	struct literal *x = literals_look(l, hash, run.ptr, run.len);

	if (!x->bytes)
		*x = (struct literal){.hash = hash, .bytes = run.ptr, .len = run.len};
	x->uses++;
	return x;
}

/* Under the literal of fewest uses, of these the longest. */
static void file_pattern(struct literals *l, size_t i, const struct pattern *p)
{
	struct literal *best = NULL;
	struct slice run;

	for (size_t k = 0; pattern_literal(p, k, &run); k++) {
		struct slice s = shortened(run);
		struct literal *x = literals_look(l, literals_hash_of(s.ptr, s.len), s.ptr, s.len);

		if (!best || x->uses < best->uses || (x->uses == best->uses && x->len > best->len))
			best = x;
	}
	if (!best) {
		l->always[i / 64] |= UINT64_C(1) << i % 64;
		return;
	}
	l->next[i] = best->first;
	best->first = i + 1;
	l->lengths[best->len] = true;
}

struct literals *literals_new(
	struct arena *arena, const struct pattern *const *patterns, size_t count)
{
	struct literals *l = arena_alloc(arena, sizeof *l);
	size_t runs = 1, places = 4;
	struct slice run;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; pattern_literal(patterns[i], k, &run); k++)
			runs++;
	while (places < 4 * runs)
		places *= 2;
	l->count = count;
	l->mask = places - 1;
	l->table = arena_array(arena, places, sizeof *l->table);
	l->next = arena_array(arena, count + 1, sizeof *l->next);
	l->always = arena_array(arena, LITERALS_WORDS(count) + 1, sizeof *l->always);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; pattern_literal(patterns[i], k, &run); k++)
			literals_add(l, shortened(run));
	for (size_t i = 0; i < count; i++)
		file_pattern(l, i, patterns[i]);
	return l;
}

static void found(const struct literals *l, const struct literal *x, uint64_t *bits)
{
	/* Found before: so were all of its patterns. */
	if (!x->first || bits[(x->first - 1) / 64] >> (x->first - 1) % 64 & 1)
		return;
	for (size_t i = x->first; i; i = l->next[i - 1])
		bits[(i - 1) / 64] |= UINT64_C(1) << (i - 1) % 64;
}

static void find_length(const struct literals *l, struct slice text, size_t len, uint64_t *bits)
{
	uint64_t hash, power = 1;

	if (len > text.len)
		return;
	for (size_t i = 0; i < len; i++)
		power *= BASE;
	hash = literals_hash_of(text.ptr, len);
	for (size_t at = 0;; at++) {
		found(l, literals_look(l, hash, text.ptr + at, len), bits);
		if (at + len == text.len)
			return;
		hash = hash * BASE + (unsigned char)text.ptr[at + len] + 1 -
		       power * ((unsigned char)text.ptr[at] + 1u);
	}
}

void literals_find(const struct literals *l, struct slice text, uint64_t *bits)
{
	if (l->count)
		memcpy(bits, l->always, LITERALS_WORDS(l->count) * sizeof *bits);
	for (size_t len = 1; len <= LITERALS_LENGTH_MAX; len++)
		if (l->lengths[len])
			find_length(l, text, len, bits);
}
