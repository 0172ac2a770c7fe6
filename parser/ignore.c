// SPDX-License-Identifier: Apache-2.0
/*
 * Each rule is compiled once. A path is walked once per rule, and only by rules of which it holds
 * the literal (literals.h) and that can change the verdict so far: parents are judged on the way,
 * so depth costs nothing extra. Where many rules may match, they are walked together
 * (patternset.h).
 */
#include "parser/ignore.h"

#include <stdlib.h>

#include "parser/literals.h"
#include "parser/pattern.h"
#include "parser/patternset.h"

#define FEW 64 /* rules that are walked one by one */

struct rule {
	struct pattern *pattern; /* owned */
	bool keep;               /* !pattern */
	size_t line;
};

struct ignore {
	struct arena *arena; /* owned */
	struct source source;
	struct diag_list diags;
	struct rule *rules;
	size_t count;
	size_t cap;
	struct literals *literals; /* of the patterns of all rules */
	struct patternset *set;    /* of them, NULL when they are few */
};

/* Length of a path without its last component; nothing before keep is given up. */
static size_t without_last(const char *path, size_t n, size_t keep)
{
	while (n > keep && path[n - 1] != '/')
		n--;
	return n > keep ? n - 1 : n;
}

/* Lexical cleaning of a path: no "." or empty components, ".." folded, no slash at the end. "" and
 * "/" stay recognisable: ".", "/". */
static struct slice ignore_clean(struct arena *arena, struct slice path)
{
	bool rooted = path.len > 0 && path.ptr[0] == '/';
	char *out = arena_alloc(arena, path.len + 2);
	size_t n = 0, keep = 0; /* out[0..keep) are ".." that cannot be folded */

	for (size_t at = 0; at < path.len;) {
		size_t end = slice_find(path, '/', at);
		struct slice part = slice_sub(path, at, end - at);

		at = end + 1;
		if (part.len == 0 || slice_eq_str(part, "."))
			continue;
		if (slice_eq_str(part, "..") && (n > keep || rooted)) {
			n = without_last(out, n, keep);
			continue;
		}
		if (n > 0)
			out[n++] = '/';
		for (size_t i = 0; i < part.len; i++)
			out[n++] = part.ptr[i];
		if (slice_eq_str(part, ".."))
			keep = n;
	}
	if (n == 0)
		return rooted ? SLICE("/") : SLICE(".");
	return (struct slice){out, n};
}

static void bad_rule(struct ignore *ig, struct slice text, const char *what, const char *hint)
{
	struct span span = {(size_t)(text.ptr - ig->source.text.ptr), text.len};
	struct diag *d = diag_list_add(&ig->diags, DIAG_ERROR, "ignore-rule", span, "%s", what);

	if (d)
		d->hint = slice_of(hint);
}

static void add_rule(struct ignore *ig, struct slice text, size_t line)
{
	struct slice body = text;
	struct rule rule = {.line = line, .keep = text.ptr[0] == '!'};

	if (rule.keep)
		body = slice_trim(slice_from(text, 1));
	if (body.len == 0) {
		bad_rule(ig, text, "\"!\" without a pattern", "write !PATTERN");
		return;
	}
	rule.pattern = pattern_new(ignore_clean(ig->arena, body), PATTERN_IGNORE);
	if (!rule.pattern) {
		bad_rule(ig, body, "malformed pattern",
			"close every [ by ], put \\ only before a character");
		return;
	}
	ig->rules = arena_grow(ig->arena, ig->rules, ig->count, &ig->cap, sizeof *ig->rules);
	ig->rules[ig->count++] = rule;
}

static void make_literals(struct ignore *ig)
{
	const struct pattern **all = arena_array(ig->arena, ig->count + 1, sizeof *all);

	for (size_t i = 0; i < ig->count; i++)
		all[i] = ig->rules[i].pattern;
	ig->literals = literals_new(ig->arena, all, ig->count);
	if (ig->count > FEW)
		ig->set = patternset_new(ig->arena, all, ig->count);
}

struct ignore *ignore_parse(struct slice name, struct slice text)
{
	struct arena *arena = arena_new();
	struct ignore *ig = arena_alloc(arena, sizeof *ig);
	struct span start = {0, 0};

	ig->arena = arena;
	diag_list_init(&ig->diags, arena);
	source_init(&ig->source, arena, name, slice_sub(text, 0, IGNORE_SIZE_MAX));
	if (text.len > IGNORE_SIZE_MAX) {
		diag_list_add(&ig->diags, DIAG_ERROR, "limit", start, "larger than %d bytes",
			IGNORE_SIZE_MAX);
		return ig;
	}
	for (size_t line = 1; line <= ig->source.nlines; line++) {
		struct slice s = source_line(&ig->source, line);

		if (slice_starts(s, "#"))
			continue;
		s = slice_trim(s);
		if (s.len == 0)
			continue;
		if (ig->count == IGNORE_RULES_MAX) {
			start.off = (size_t)(s.ptr - ig->source.text.ptr);
			diag_list_add(&ig->diags, DIAG_ERROR, "limit", start, "more than %d rules",
				IGNORE_RULES_MAX);
			break;
		}
		add_rule(ig, s, line);
	}
	make_literals(ig);
	return ig;
}

void ignore_free(struct ignore *ig)
{
	if (!ig)
		return;
	for (size_t i = 0; i < ig->count; i++)
		pattern_free(ig->rules[i].pattern);
	arena_free(ig->arena);
}

const struct diag_list *ignore_diags(const struct ignore *ig)
{
	return &ig->diags;
}

const struct source *ignore_source(const struct ignore *ig)
{
	return &ig->source;
}

/* Rules that may match a path, as bits; exact: that do, and what may match below it. */
struct candidates {
	uint64_t may[LITERALS_WORDS(IGNORE_RULES_MAX)];
	uint64_t below[LITERALS_WORDS(IGNORE_RULES_MAX)];
	bool exact;
};

static void find_candidates(
	const struct ignore *ig, struct slice path, bool below, struct candidates *c)
{
	size_t n = 0;

	literals_find(ig->literals, path, c->may);
	for (size_t w = 0; w < LITERALS_WORDS(ig->count); w++)
		n += (size_t)__builtin_popcountll(c->may[w]);
	c->exact = ig->set && n > FEW;
	if (c->exact)
		patternset_test(ig->set, path, c->may, below ? c->below : NULL);
}

bool ignore_match(const struct ignore *ig, struct slice path, size_t *line)
{
	struct candidates c;
	bool excluded = false;

	if (line)
		*line = 0;
	if (path.len == 0 || ig->count == 0)
		return false;
	find_candidates(ig, path, false, &c);
	for (size_t w = 0; w < LITERALS_WORDS(ig->count); w++) {
		for (uint64_t bits = c.may[w]; bits; bits &= bits - 1) {
			const struct rule *r = &ig->rules[w * 64 + (size_t)__builtin_ctzll(bits)];

			if (r->keep != excluded ||
				(!c.exact && !pattern_test_parents(r->pattern, path)))
				continue;
			excluded = !r->keep;
			if (line)
				*line = r->line;
		}
	}
	return excluded;
}

static bool ignore_holds(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

bool ignore_may_contain(const struct ignore *ig, struct slice dir)
{
	struct candidates c;

	if (dir.len == 0 || ig->count == 0)
		return true;
	find_candidates(ig, dir, true, &c);
	/* From the last rule back: an exclusion of the directory or a parent of it settles
	 * everything below that no later !rule names. */
	for (size_t i = ig->count; i-- > 0;) {
		const struct rule *r = &ig->rules[i];
		bool here = ignore_holds(c.may, i) &&
			    (c.exact || pattern_test_parents(r->pattern, dir));

		if (r->keep && (here || (c.exact ? ignore_holds(c.below, i)
						 : pattern_test_below(r->pattern, dir))))
			return true;
		if (!r->keep && here)
			return false;
	}
	return true;
}
