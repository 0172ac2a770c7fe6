// SPDX-License-Identifier: Apache-2.0
/*
 * Which stages have to be built. Dependencies are collected for all, from the last to the first,
 * and spread from the targets; a mistake in a stage is reported only if that stage is needed.
 * Triggers of an earlier stage count for those that are FROM it; a variable in one may mean any
 * stage in front.
 */
#include "builder/plan/planneeds.h"

#include "builder/plan/dferr.h"
#include "builder/plan/fromref.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

static bool planneeds_has(const size_t *v, size_t n, size_t stage)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == stage)
			return true;
	return false;
}

static void depend(struct plan *p, size_t self, size_t on)
{
	struct plan_stage *st = &p->stages[self];

	if (!planneeds_has(st->deps, st->ndeps, on))
		MEM_PUSH(st->deps, st->ndeps, st->cap_deps) = on;
}

/* ahead: as for plan_resolve_from(). */
static int need_word(struct plan *p, const struct dockerfile *df,
	const struct strlist *context_names, size_t self, const struct word *word, bool number_ok,
	bool *ahead, struct err **err)
{
	struct plan_from f;

	if (plan_resolve_from(p, df, context_names, self, word, number_ok, &f, ahead, err) < 0)
		return -1;
	if (f.kind == PLAN_FROM_STAGE)
		depend(p, self, f.stage);
	return 0;
}

/* Calls one() for every from= of an instruction. */
struct visit {
	struct plan *p;
	const struct dockerfile *df;
	const struct strlist *context_names;
	size_t self;
	int (*one)(
		const struct visit *v, const struct word *from, bool number_ok, struct err **err);
};

static int planneeds_visit(
	const struct visit *v, const struct ast_instruction *ins, struct err **err)
{
	if (ins->keyword == AST_COPY || ins->keyword == AST_ADD)
		return v->one(v, &ins->copy.from, true, err);
	if (ins->keyword != AST_RUN)
		return 0;
	for (size_t m = 0; m < ins->run.nmounts; m++)
		if (v->one(v, &ins->run.mounts[m].from, false, err) < 0)
			return -1;
	return 0;
}

static int of_file(const struct visit *v, const struct word *from, bool number_ok, struct err **err)
{
	struct plan_stage *st = &v->p->stages[v->self];
	struct word word;
	bool ahead = false;

	if (fromref_word(v->p, NULL, v->df, from, &word, err) < 0 ||
		need_word(v->p, v->df, v->context_names, v->self, &word, number_ok, &ahead, err) <
			0)
		return -1;
	if (ahead && !st->ahead.text.ptr) {
		st->ahead = word;
		st->ahead_number = number_ok;
	}
	return 0;
}

static int of_trigger(
	const struct visit *v, const struct word *from, bool number_ok, struct err **err)
{
	if (!from->text.ptr || !slice_has(from->text, '$'))
		return need_word(
			v->p, v->df, v->context_names, v->self, from, number_ok, NULL, err);
	for (size_t i = 0; i < v->self; i++)
		depend(v->p, v->self, i);
	return 0;
}

int planneeds_trigger(struct plan *p, const struct dockerfile *df,
	const struct strlist *context_names, size_t self, const struct ast_instruction *trigger,
	struct err **err)
{
	const struct visit v = {p, df, context_names, self, of_trigger};
	const char *stage = p->stages[self].title;

	if (planneeds_visit(&v, trigger, err) == 0)
		return 0;
	return err_note(
		err, "the trigger runs in stage \"%s\", which is FROM its stage or image", stage);
}

/* Those of a stage of this file that stage `self` is FROM. */
static int add_triggers(struct plan *p, const struct dockerfile *df,
	const struct strlist *context_names, size_t self, struct err **err)
{
	const struct plan_stage *st = &p->stages[self];

	if (st->base != PLAN_STAGE)
		return 0;
	const struct ast_instructions *body = &df->stages[st->base_stage].body;
	for (size_t i = 0; i < body->count; i++)
		if (body->items[i]->keyword == AST_ONBUILD &&
			planneeds_trigger(
				p, df, context_names, self, body->items[i]->onbuild.child, err) < 0)
			return -1;
	return 0;
}

int planneeds_spread(struct plan *p, const struct dockerfile *df,
	const struct strlist *context_names, size_t stage, struct err **err)
{
	struct plan_stage *st = &p->stages[stage];

	if (!st->needed)
		return 0;
	if (st->ast->mistaken)
		return dferr_report(err, df);
	if (st->ahead.text.ptr)
		return need_word(
			p, df, context_names, stage, &st->ahead, st->ahead_number, NULL, err);
	if (!st->spread && add_triggers(p, df, context_names, stage, err) < 0)
		return -1;
	st->spread = true;
	for (size_t i = 0; i < st->ndeps; i++)
		p->stages[st->deps[i]].needed = true;
	return 0;
}

int planneeds_make(struct plan *p, const struct dockerfile *df, const struct strlist *context_names,
	struct err **err)
{
	for (size_t i = p->nstages; i-- > 0;) {
		const struct ast_instructions *body = &df->stages[i].body;
		const struct visit v = {p, df, context_names, i, of_file};

		if (p->stages[i].base == PLAN_STAGE)
			depend(p, i, p->stages[i].base_stage);
		for (size_t k = 0; k < body->count; k++)
			if (planneeds_visit(&v, body->items[k], err) < 0)
				return -1;
	}
	for (size_t i = p->nstages; i-- > 0;)
		if (planneeds_spread(p, df, context_names, i, err) < 0)
			return -1;
	planneeds_number(p);
	return 0;
}

void planneeds_number(struct plan *p)
{
	p->nsteps = 0;
	for (size_t i = 0; i < p->nstages; i++) {
		if (!p->stages[i].needed)
			continue;
		p->stages[i].first_step = p->nsteps + 1;
		p->nsteps += (unsigned)p->stages[i].ast->body.count;
	}
}

/* --- cycles ---------------------------------------------------------------------------------- */

/* next[i]: over which stage i needs self; nstages: not at all. Stages need earlier ones only. */
static void paths(const struct plan *p, size_t self, size_t *next)
{
	for (size_t i = 0; i < p->nstages; i++) {
		const struct plan_stage *st = &p->stages[i];

		next[i] = p->nstages;
		for (size_t k = 0; k < st->ndeps && next[i] == p->nstages; k++)
			if (st->deps[k] == self || next[st->deps[k]] < p->nstages)
				next[i] = st->deps[k];
	}
}

char *planneeds_cycle(const struct plan *p, size_t self, size_t from)
{
	auto_free size_t *next = mem_array(p->nstages, sizeof *next);
	struct buf text;

	paths(p, self, next);
	if (next[from] == p->nstages)
		return NULL;
	buf_init(&text, BUF_TEXT_MAX);
	buf_addf(&text, "%s", p->stages[self].title);
	for (size_t i = from; i != self; i = next[i])
		buf_addf(&text, " -> %s", p->stages[i].title);
	buf_addf(&text, " -> %s", p->stages[self].title);
	return buf_take(&text);
}
