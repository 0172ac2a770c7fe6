// SPDX-License-Identifier: Apache-2.0
/*
 * What names mean while the linter walks a stage. A base image may be unknown to the linter: then
 * the scope is "open", any name may be in it, and what hangs on such a name is "vague", so that
 * rules keep silent about it. Names and memory are bounded; a scope that is full is open, too.
 */
#include "parser/lint_private.h"

#include "parser/expand.h"
#include "parser/suggest.h"

/* Compared before the name: a file can ask for 100000 names of a scope of 2000. */
static unsigned lint_scope_hash_of(struct slice name)
{
	unsigned h = 5381;

	for (size_t i = 0; i < name.len; i++)
		h = h * 33 + (unsigned char)name.ptr[i];
	return h;
}

struct lint_var *lint_scope_find(const struct lint_scope *s, struct slice name)
{
	unsigned hash = lint_scope_hash_of(name);

	for (size_t i = 0; i < s->count; i++)
		if (s->vars[i].hash == hash && slice_eq(s->vars[i].name, name))
			return &s->vars[i];
	return NULL;
}

/* A declaration without a value leaves the one that is there. */
void lint_scope_set(struct lint *l, struct lint_scope *s, struct slice name, struct slice value)
{
	struct lint_var *v = lint_scope_find(s, name);

	if (!v && s->count == LINT_VARS_MAX) {
		s->open = true;
		return;
	}
	if (!v) {
		s->vars = arena_grow(l->arena, s->vars, s->count, &s->cap, sizeof *s->vars);
		v = &s->vars[s->count++];
		*v = (struct lint_var){
			.name = arena_copy(l->arena, name), .hash = lint_scope_hash_of(name)};
	}
	if (value.ptr) {
		v->value = value;
		v->vague = false;
	}
}

void lint_scope_set_pair(struct lint *l, struct lint_scope *s, struct slice pair)
{
	size_t equals = slice_find(pair, '=', 0);
	struct slice value = equals < pair.len ? slice_from(pair, equals + 1) : SLICE("");

	lint_scope_set(l, s, slice_sub(pair, 0, equals), value);
}

/* A few lines can become any amount of text. What is looked at no more is taken as unknown. */
static bool lint_full(const struct lint *l)
{
	return arena_used(l->arena) > LINT_MEMORY_MAX;
}

void lint_scope_copy(struct lint *l, struct lint_scope *to, const struct lint_scope *from)
{
	*to = *from;
	if (lint_full(l)) {
		*to = (struct lint_scope){.open = true, .shell = from->shell};
		return;
	}
	to->cap = to->count;
	to->vars = arena_array(l->arena, to->count + 1, sizeof *to->vars);
	for (size_t i = 0; i < to->count; i++)
		to->vars[i] = from->vars[i];
}

/* --- expansion ------------------------------------------------------------------------ */

static bool lint_scope_name_char(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* The next use of a name at or after an offset; raw.len when there is none. *fallback: it says
 * itself what holds when the name is not set. */
static size_t next_use(
	struct slice raw, struct slice name, char escape, size_t from, size_t *len, bool *fallback)
{
	for (size_t at = slice_find(raw, '$', from); at < raw.len;
		at = slice_find(raw, '$', at + 1)) {
		bool brace = at + 1 < raw.len && raw.ptr[at + 1] == '{';
		size_t start = at + (brace ? 2 : 1);
		size_t end = start + name.len;
		char next = end < raw.len ? raw.ptr[end] : '\0';

		if ((at > 0 && raw.ptr[at - 1] == escape) ||
			!slice_eq(slice_sub(raw, start, name.len), name) ||
			lint_scope_name_char(next))
			continue;
		*fallback = false;
		*len = end - at;
		if (brace) {
			size_t close = slice_find(raw, '}', end);
			char op = next == ':' && end + 1 < raw.len ? raw.ptr[end + 1] : next;

			*fallback = op == '-' || op == '+' || op == '?';
			*len = (close < raw.len ? close + 1 : raw.len) - at;
		}
		return at;
	}
	return raw.len;
}

/* Every use of it has a fallback. */
static bool has_fallback(struct slice raw, struct slice name, char escape)
{
	size_t at = 0, len, uses = 0;
	bool fallback;

	while ((at = next_use(raw, name, escape, at, &len, &fallback)) < raw.len) {
		if (!fallback)
			return false;
		uses++;
		at++;
	}
	return uses > 0;
}

struct lookup {
	struct lint *l;
	const struct lint_scope *s;
	struct slice raw;
	struct lint_expanded *out;
	struct slice *seen; /* names met, set or not */
	size_t nseen, cap;
	char escape;
};

/* More names than fit count as seen. */
static bool seen(struct lookup *k, struct slice name)
{
	if (k->nseen == LINT_NAMES_MAX)
		return true;
	for (size_t i = 0; i < k->nseen; i++)
		if (slice_eq(k->seen[i], name))
			return true;
	k->seen = arena_grow(k->l->arena, k->seen, k->nseen, &k->cap, sizeof *k->seen);
	k->seen[k->nseen++] = arena_copy(k->l->arena, name);
	return false;
}

static void miss(struct lookup *k, struct slice name)
{
	struct lint_expanded *out = k->out;

	out->unset++;
	if (has_fallback(k->raw, name, k->escape))
		return;
	out->missing = arena_grow(
		k->l->arena, out->missing, out->nmissing, &out->cap, sizeof *out->missing);
	out->missing[out->nmissing++] = arena_copy(k->l->arena, name);
}

static bool lint_scope_look_up(void *ctx, struct slice name, struct slice *value)
{
	struct lookup *k = ctx;
	const struct lint_var *v = lint_scope_find(k->s, name);
	bool again = seen(k, name);

	if (v && v->vague)
		k->out->vague = true;
	if (v && v->value.ptr) {
		*value = v->value;
		if (!again)
			k->out->matched++;
		k->out->only = v->name;
		return true;
	}
	if (k->s->open)
		k->out->vague = true;
	/* Declared without a value is declared. */
	if (!v && !again)
		miss(k, name);
	return false;
}

void lint_scope_expand(struct lint *l, const struct lint_scope *s, struct slice raw,
	enum lint_quotes quotes, struct lint_expanded *out)
{
	struct lookup k = {.l = l, .s = s, .raw = raw, .out = out, .escape = l->df->escape};
	struct expand_env env = {lint_scope_look_up, &k, l->df->escape};
	struct expand_error error;

	*out = (struct lint_expanded){.ok = true, .text = raw};
	if (!raw.ptr)
		return;
	if (lint_full(l)) {
		*out = (struct lint_expanded){.vague = true, .text = SLICE("")};
		return;
	}
	if (quotes == LINT_HEREDOC) {
		k.escape = '\\';
		out->ok = expand_heredoc(&env, raw, l->arena, &out->text, &error) == 0;
	} else if (quotes == LINT_WORDS) {
		out->ok = expand_words(&env, raw, l->arena, &out->words, &out->nwords, &error) == 0;
		if (!out->ok)
			out->nwords = 0;
	} else {
		out->ok = expand_word(&env, raw, l->arena, &out->text, &error) == 0;
	}
	if (!out->ok || !out->text.ptr)
		out->text = SLICE("");
}

struct span lint_scope_use(const struct lint *l, const struct word *w, struct slice name)
{
	size_t at = 0, len;
	bool fallback;

	if (w->span.len != w->text.len)
		return w->span;
	while ((at = next_use(w->text, name, l->df->escape, at, &len, &fallback)) < w->text.len) {
		if (!fallback)
			return (struct span){w->span.off + at, len};
		at++;
	}
	return w->span;
}

const char *lint_scope_nearest(struct lint *l, const struct lint_scope *s, struct slice name)
{
	const char **names = arena_array(l->arena, s->count + 1, sizeof *names);

	for (size_t i = 0; i < s->count; i++)
		names[i] = s->vars[i].name.ptr;
	return suggest_nearest(name, names, s->count);
}

bool lint_scope_build_arg(const struct lint *l, struct slice name, struct slice *value)
{
	for (size_t i = l->o->nbuild_args; i-- > 0;) {
		struct slice pair = l->o->build_args[i];
		size_t equals = slice_find(pair, '=', 0);

		if (slice_eq(slice_sub(pair, 0, equals), name)) {
			*value = equals < pair.len ? slice_from(pair, equals + 1) : SLICE("");
			return true;
		}
	}
	return false;
}
