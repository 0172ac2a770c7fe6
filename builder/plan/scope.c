// SPDX-License-Identifier: Apache-2.0
/*
 * The variables of a stage and their expansion. Expanded text lives in the scope's arena and is
 * charged to the budget of the build, since a few lines can double a value again and again. Values
 * with a NUL are refused: everything behind this handles C strings.
 */
#include "builder/plan/scope.h"

#include <string.h>
#include <strings.h>

#include "builder/plan/dferr.h"
#include "store/base/mem.h"

void scope_init(struct scope *s)
{
	*s = (struct scope){.arena = arena_new()};
}

void scope_clear(struct scope *s)
{
	strlist_clear(&s->vars);
	strlist_clear(&s->args);
	arena_free(s->arena);
	s->arena = NULL;
}

void scope_copy(struct scope *dst, const struct scope *src)
{
	strlist_copy(&dst->vars, &src->vars);
	strlist_copy(&dst->args, &src->args);
}

uint64_t scope_cost(const struct scope *s)
{
	const struct strlist *all[] = {&s->vars, &s->args};
	uint64_t n = 0;

	for (size_t k = 0; k < ARRAY_LEN(all); k++)
		for (size_t i = 0; i < all[k]->n; i++)
			n += strlen(all[k]->v[i]) + BUDGET_ENTRY;
	return n;
}

void scope_set(struct scope *s, const char *name, const char *value)
{
	strlist_set_kv(&s->vars, name, value);
}

void scope_unset(struct scope *s, const char *name)
{
	strlist_unset_kv(&s->vars, name);
}

const char *scope_get(const struct scope *s, const char *name)
{
	return strlist_get_kv(&s->vars, name);
}

void scope_declare(struct scope *s, const char *name, const char *value)
{
	strlist_add_once(&s->args, name);
	if (value)
		scope_set(s, name, value);
}

static bool lookup(void *ctx, struct slice name, struct slice *value)
{
	const struct scope *s = ctx;

	const char *v = strlist_find_kv(&s->vars, name.ptr, name.len);

	if (v)
		*value = slice_of(v);
	return v != NULL;
}

static struct expand_env env_of(struct scope *s, const struct dockerfile *df)
{
	return (struct expand_env){.lookup = lookup, .ctx = s, .escape = df->escape};
}

static int scope_check_text(
	struct slice out, const struct dockerfile *df, struct span where, struct err **err)
{
	if (memchr(out.ptr, '\0', out.len))
		return dferr_at(err, ERR_SYNTAX, df, where, NULL, "the value holds a NUL byte");
	return 0;
}

int scope_charge(const struct scope *s, uint64_t n, const struct dockerfile *df,
	const struct word *w, struct err **err)
{
	if (budget_take(s->budget, n))
		return 0;
	return dferr_at(err, ERR_LIMIT, df, w->span, NULL,
		"variables of this build become more than %u MiB of text",
		(unsigned)(BUDGET_TEXT_MAX >> 20));
}

const char *scope_expand(
	struct scope *s, const struct dockerfile *df, const struct word *w, struct err **err)
{
	struct expand_env env = env_of(s, df);
	struct expand_error bad;
	struct slice out;

	if (expand_word(&env, w->text, s->arena, &out, &bad) < 0) {
		dferr_expand(err, df, w, &bad);
		return NULL;
	}
	if (out.len == 0)
		return "";
	if (scope_charge(s, out.len, df, w, err) < 0)
		return NULL;
	return scope_check_text(out, df, w->span, err) < 0 ? NULL : out.ptr;
}

int scope_expand_body(struct scope *s, const struct dockerfile *df, const struct ast_heredoc *h,
	struct slice *out, struct err **err)
{
	struct expand_env env = env_of(s, df);
	struct expand_error bad;

	if (!h->expand) {
		*out = h->body;
		return 0;
	}
	if (expand_heredoc(&env, h->body, s->arena, out, &bad) < 0)
		return dferr_expand(err, df, &h->word, &bad);
	return scope_charge(s, 2 * out->len, df, &h->word, err);
}

int scope_expand_split(struct scope *s, const struct dockerfile *df, const struct word *w,
	struct strlist *out, struct err **err)
{
	struct expand_env env = env_of(s, df);
	struct expand_error bad;
	struct slice *words;
	size_t n;

	if (expand_words(&env, w->text, s->arena, &words, &n, &bad) < 0)
		return dferr_expand(err, df, w, &bad);
	for (size_t i = 0; i < n; i++) {
		if (scope_charge(s, 2 * words[i].len + BUDGET_ENTRY, df, w, err) < 0 ||
			scope_check_text(words[i], df, w->span, err) < 0)
			return -1;
		strlist_add_take(out, mem_strndup(words[i].ptr, words[i].len));
	}
	return 0;
}

bool scope_is_proxy(const char *name)
{
	static const char *const names[] = {
		"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"};
	bool upper = name[0] >= 'A' && name[0] <= 'Z';

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcasecmp(name, names[i]) != 0)
			continue;
		/* Either case, not a mixture. */
		for (const char *p = name; *p; p++)
			if (*p != '_' && (*p >= 'A' && *p <= 'Z') != upper)
				return false;
		return true;
	}
	return false;
}
