// SPDX-License-Identifier: Apache-2.0
/*
 * Variables in from=, which have to be known before anything is built, since stages depend on them.
 * So ARG and ENV of the file are walked here once without the variables of base images. Nothing is
 * done when no such word has a variable. A word is found again by where it begins in the text.
 */
#include "builder/plan/fromref.h"

#include <stdlib.h>
#include <string.h>

#include "builder/plan/dferr.h"
#include "builder/plan/hints.h"
#include "builder/plan/scope.h"
#include "store/base/mem.h"

struct fromref {
	const char *at; /* where the word begins in the text of the file */
	char *text;     /* owned */
};

struct fromref_list {
	struct fromref *v;
	size_t n;
	size_t cap;
};

/* Stage after stage, in the order of the file. */
struct walk {
	struct plan *p;
	const struct dockerfile *df;
	const struct plan_opts *o;
	struct scope *scopes; /* owned; one per stage, as it is at the stage's end */
	struct strlist *envs; /* owned; names that ENV set in it */
	struct scope *now;
	struct strlist *env;
	struct err **err;
};

static bool has_variable(const struct word *w)
{
	return w->text.ptr && slice_has(w->text, '$');
}

/* The from= words of an instruction. */
static size_t count_words(const struct ast_instruction *ins)
{
	if (ins->keyword == AST_COPY || ins->keyword == AST_ADD)
		return 1;
	return ins->keyword == AST_RUN ? ins->run.nmounts : 0;
}

static const struct word *fromref_word_at(const struct ast_instruction *ins, size_t i)
{
	return ins->keyword == AST_RUN ? &ins->run.mounts[i].from : &ins->copy.from;
}

static bool fromref_wanted(const struct dockerfile *df)
{
	for (size_t i = 0; i < df->nstages; i++)
		for (size_t k = 0; k < df->stages[i].body.count; k++) {
			const struct ast_instruction *ins = df->stages[i].body.items[k];
			for (size_t m = 0; m < count_words(ins); m++)
				if (has_variable(fromref_word_at(ins, m)))
					return true;
		}
	return false;
}

/* A text that cannot be expanded here may be fine when it runs: then the base image's variables
 * count. */
static const char *try_expand(struct walk *w, const struct word *word)
{
	struct err *ignored = NULL;
	const char *text = scope_expand(w->now, w->df, word, &ignored);

	err_free(ignored);
	return text;
}

static void declare_args(struct walk *w, const struct ast_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const char *name = try_expand(w, &pairs->items[i].key);
		if (!name)
			continue;
		const char *value = strlist_get_kv(w->o->build_args, name);
		if (!value && pairs->items[i].value.text.ptr)
			value = try_expand(w, &pairs->items[i].value);
		else if (!value)
			value = scope_get(&w->p->globals, name);
		scope_declare(w->now, name, value);
	}
}

/* Every word sees the variables from before the line. */
static void set_env(struct walk *w, const struct ast_pairs *pairs)
{
	auto_strlist struct strlist set = {0};

	for (size_t i = 0; i < pairs->count; i++) {
		const char *name = try_expand(w, &pairs->items[i].key);
		const char *value = name ? try_expand(w, &pairs->items[i].value) : NULL;
		if (value && !strchr(name, '='))
			strlist_set_kv(&set, name, value);
	}
	for (size_t i = 0; i < set.n; i++) {
		const char *value;
		auto_free char *name = strlist_split_kv(set.v[i], &value);

		scope_set(w->now, name, value);
		strlist_add(w->env, name);
	}
}

static int fromref_empty(const struct dockerfile *df, const struct word *from, struct err **err)
{
	return dferr_at(err, ERR_SYNTAX, df, from->span, NULL,
		"the stage or image to copy from is empty after expansion; variables of a base "
		"image do not count here");
}

static int keep_word(struct walk *w, const struct word *from)
{
	struct fromref_list *l = w->p->fromrefs;
	const char *text;

	if (!has_variable(from))
		return 0;
	text = scope_expand(w->now, w->df, from, w->err);
	if (!text)
		return -1;
	if (!*text)
		return fromref_empty(w->df, from, w->err);
	MEM_PUSH(l->v, l->n, l->cap) = (struct fromref){from->text.ptr, mem_strdup(text)};
	return 0;
}

static int take_instruction(struct walk *w, const struct ast_instruction *ins)
{
	if (ins->keyword == AST_ARG)
		declare_args(w, &ins->pairs);
	else if (ins->keyword == AST_ENV)
		set_env(w, &ins->pairs);
	for (size_t i = 0; i < count_words(ins); i++)
		if (keep_word(w, fromref_word_at(ins, i)) < 0)
			return hints_add(w->now, w->df, ins, w->err);
	return 0;
}

static void inherit(struct walk *w, size_t from, bool reset)
{
	scope_copy(w->now, &w->scopes[from]);
	if (!reset)
		strlist_copy(w->env, &w->envs[from]);
	for (size_t i = 0; reset && i < w->envs[from].n; i++)
		scope_unset(w->now, w->envs[from].v[i]);
}

static int fromref_take_stage(struct walk *w, size_t i)
{
	const struct plan_stage *st = &w->p->stages[i];
	const struct ast_stage *ast = &w->df->stages[i];

	w->now = &w->scopes[i];
	scope_init(w->now);
	w->now->budget = w->o->budget;
	w->env = &w->envs[i];
	if (st->base == PLAN_STAGE &&
		!budget_take(w->o->budget, scope_cost(&w->scopes[st->base_stage])))
		return dferr_at(w->err, ERR_LIMIT, w->df, ast->from->from.image.span, NULL,
			"the stages of this build inherit more than %u MiB of text",
			(unsigned)(BUDGET_TEXT_MAX >> 20));
	if (st->base == PLAN_STAGE)
		inherit(w, st->base_stage, ast->from->from.reset & AST_RESET_ENV);
	for (size_t k = 0; k < ast->body.count; k++)
		if (take_instruction(w, ast->body.items[k]) < 0)
			return -1;
	return 0;
}

int fromref_make(
	struct plan *p, const struct dockerfile *df, const struct plan_opts *o, struct err **err)
{
	struct walk w = {.p = p, .df = df, .o = o, .err = err};
	int r = 0;

	if (!fromref_wanted(df))
		return 0;
	p->fromrefs = mem_alloc(sizeof *p->fromrefs);
	w.scopes = mem_array(p->nstages, sizeof *w.scopes);
	w.envs = mem_array(p->nstages, sizeof *w.envs);
	for (size_t i = 0; i < p->nstages && r == 0; i++)
		r = fromref_take_stage(&w, i);
	for (size_t i = 0; i < p->nstages; i++) {
		scope_clear(&w.scopes[i]);
		strlist_clear(&w.envs[i]);
	}
	free(w.scopes);
	free(w.envs);
	return r;
}

void fromref_free(struct fromref_list *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].text);
	free(l->v);
	free(l);
}

int fromref_word(const struct plan *p, struct scope *scope, const struct dockerfile *df,
	const struct word *from, struct word *out, struct err **err)
{
	const struct fromref_list *l = p->fromrefs;

	*out = *from;
	if (!has_variable(from))
		return 0;
	for (size_t i = 0; l && i < l->n; i++)
		if (l->v[i].at == from->text.ptr) {
			out->text = slice_of(l->v[i].text);
			return 0;
		}
	const char *text = scope ? scope_expand(scope, df, from, err) : "";
	if (!text)
		return -1;
	if (!*text)
		return fromref_empty(df, from, err);
	out->text = slice_of(text);
	return 0;
}
