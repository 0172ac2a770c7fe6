// SPDX-License-Identifier: Apache-2.0
#include "builder/scope.h"

#include <string.h>
#include <strings.h>

#include "builder/dferr.h"
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
	if (!strlist_has(&s->args, name))
		strlist_add(&s->args, name);
	if (value)
		scope_set(s, name, value);
}

static bool lookup(void *ctx, struct slice name, struct slice *value)
{
	const struct scope *s = ctx;

	/* Compared in place: an expansion may ask for any name, most of them are not set. */
	for (size_t i = 0; i < s->vars.n; i++) {
		const char *v = s->vars.v[i];
		if (strncmp(v, name.ptr, name.len) == 0 && v[name.len] == '=') {
			*value = slice_of(v + name.len + 1);
			return true;
		}
	}
	return false;
}

static struct expand_env env_of(struct scope *s, const struct dockerfile *df)
{
	return (struct expand_env){.lookup = lookup, .ctx = s, .escape = df->escape};
}

static int check_text(
	struct slice out, const struct dockerfile *df, struct span where, struct err **err)
{
	if (memchr(out.ptr, '\0', out.len))
		return dferr_at(err, ERR_SYNTAX, df, where, NULL, "the value holds a NUL byte");
	return 0;
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
	return check_text(out, df, w->span, err) < 0 ? NULL : out.ptr;
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
	return 0;
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
		if (check_text(words[i], df, w->span, err) < 0)
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
