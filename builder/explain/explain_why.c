// SPDX-License-Identifier: Apache-2.0
/*
 * Which step of the earlier build a step was, and what is not as it was.
 *
 * Steps are matched in order. The next one of the earlier build is taken when its text is the same;
 * else a later one with that text, what is in between having been taken out; else the next one,
 * with its text changed, unless that text comes further down in the file: then the step was put in.
 */
#include "builder/explain/explain_state.h"

#include <pthread.h>
#include <string.h>

#include "builder/explain/explain_diff.h"
#include "builder/explain/explain_past.h"
#include "builder/job.h"
#include "store/base/mem.h"

/* --- matching --------------------------------------------------------------------------------- */

static bool makes_layer(enum ast_keyword k)
{
	return k == AST_RUN || k == AST_COPY || k == AST_ADD || k == AST_WORKDIR ||
	       k == AST_VOLUME; /* with --compat-volumes */
}

/* Does an instruction with this text follow in the file? */
static bool follows(
	const struct job *j, size_t stage, const struct ast_instruction *ins, struct slice text)
{
	const struct ast_instructions *body = &j->plan.stages[stage].ast->body;
	size_t i = 0;

	while (i < body->count && body->items[i] != ins)
		i++;
	for (i = i == body->count ? 0 : i + 1; i < body->count; i++) {
		struct step sp = {.df = j->df, .ins = body->items[i]};
		if (!makes_layer(sp.ins->keyword))
			continue;
		auto_free char *other = step_text(&sp);
		if (slice_eq(text, slice_of(other)))
			return true;
	}
	return false;
}

static size_t explain_why_match(const struct job *j, size_t stage, const struct explain_step *s)
{
	const struct explain_live_stage *c = &j->explain->stages[stage];
	const struct explain_stage *old = c->old;

	for (size_t k = c->next_old; k < old->nsteps; k++)
		if (slice_eq_str(old->steps[k].text, s->text))
			return k;
	if (c->next_old == old->nsteps || follows(j, stage, s->ins, old->steps[c->next_old].text))
		return EXPLAIN_NONE;
	return c->next_old;
}

static void explain_why_find_stage(const struct job *j, size_t stage)
{
	struct explain_live_stage *c = &j->explain->stages[stage];
	const struct explain_past *past = &j->explain->past;

	for (size_t i = 0; i < past->nstages; i++) {
		const struct explain_stage *s = &past->stages[i];
		if (!slice_eq_str(s->title, j->plan.stages[stage].title))
			continue;
		if (!c->old || slice_eq_str(s->platform, c->platform))
			c->old = s;
	}
}

void explain_match(const struct job *j, size_t stage, size_t from)
{
	struct explain_live_stage *c = &j->explain->stages[stage];

	if (!c->old)
		explain_why_find_stage(j, stage);
	for (size_t i = from; c->old && i < c->n; i++) {
		c->v[i].match = explain_why_match(j, stage, &c->v[i]);
		if (c->v[i].match != EXPLAIN_NONE)
			c->next_old = c->v[i].match + 1;
	}
}

/* --- reasons ---------------------------------------------------------------------------------- */

static struct slice list_by_id(void *ctx, const char *id)
{
	const struct job *j = ctx;
	struct explain *x = j->explain;
	struct slice found = {0};
	struct digest d;

	if (sha256_parse_hex(id, strlen(id), &d) < 0)
		return found;
	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < x->nfiles && !found.ptr; i++)
		if (sha256_equal(&x->files[i].id, &d))
			found = x->files[i].bytes;
	pthread_mutex_unlock(&x->lock);
	return found.ptr ? found : explain_past_files(&x->past, &d);
}

/* "stage TITLE" or "image NAME". Stages that others read are complete. */
static char *why_origin(void *ctx, const char *what)
{
	const struct job *j = ctx;
	auto_buf struct buf shown;

	buf_init(&shown, BUF_TEXT_MAX);
	buf_add_escaped(&shown, what, strlen(what), false);
	for (size_t i = 0; strncmp(what, "stage ", 6) == 0 && i < j->plan.nstages; i++) {
		const struct explain_live_stage *c = &j->explain->stages[i];
		if (strcmp(what + 6, j->plan.stages[i].title) != 0)
			continue;
		for (size_t k = 0; k < c->n; k++)
			if (c->v[k].ran)
				return mem_printf("%s: step %u ran", shown.data, c->v[k].number);
		return mem_printf("%s: another result", shown.data);
	}
	return mem_printf("%s moved", shown.data);
}

static struct explain_diff diff(const struct job *j)
{
	return (struct explain_diff){
		.list = list_by_id, .origin = why_origin, .ctx = (void *)(uintptr_t)j};
}

static char *why_base(const struct job *j, const struct explain_live_stage *c)
{
	struct explain_diff d = diff(j);

	d.before.facts = c->old->base;
	d.after.facts = (struct slice){c->base.data, c->base.len};
	char *why = explain_diff_find(&d);
	return why ? why : mem_strdup("the base changed");
}

static char *why_parent(const struct job *j, const struct explain_live_stage *c, size_t index)
{
	const struct explain_step *before = index ? &c->v[index - 1] : NULL;
	size_t k = c->v[index].match;

	if (before && before->ran)
		return mem_printf("step %u ran", before->number);
	if (before && before->match == EXPLAIN_NONE)
		return mem_printf("step %u is new", before->number);
	if (before && k > 0 && before->match == k - 1)
		return mem_printf("step %u gave another result", before->number);
	if (k > 0) {
		struct slice text = c->old->steps[k - 1].text;
		struct buf b;
		size_t n = text.len > EXPLAIN_DIFF_SHOWN_MAX ? EXPLAIN_DIFF_SHOWN_MAX : text.len;
		buf_init(&b, BUF_TEXT_MAX);
		buf_add_escaped(&b, text.ptr, n, false);
		buf_adds(&b,
			n < text.len ? "... in front of it is gone" : " in front of it is gone");
		return buf_take(&b);
	}
	return why_base(j, c);
}

/* Why there is nothing to compare the step with; NULL: there is. */
static const char *why_alone(const struct job *j, size_t stage, const struct explain_step *s)
{
	if (job_no_cache(j, stage))
		return j->session.o->no_cache    ? "--no-cache"
		       : j->session.o->no_layers ? "--layers=false"
						 : "--no-cache-filter";
	if (s->ins->keyword == AST_RUN && s->ins->run.no_cache)
		return "RUN --no-cache";
	if (!j->explain->had_past)
		return "first build";
	if (!j->explain->stages[stage].old)
		return "no earlier build of this stage is known";
	return s->match == EXPLAIN_NONE ? "the instruction is new" : NULL;
}

/* What differs from the step it was, of which `e` is known. */
static char *why_differs(const struct job *j, const struct explain_live_stage *c, size_t index,
	const struct explain_entry *e)
{
	const struct explain_step *s = &c->v[index];
	const struct explain_mark *was = &c->old->steps[s->match];
	const char *lost = e->done ? "the cache record was pruned" : "it failed the last time";

	if (s->has_key && sha256_equal(&s->key, &was->key))
		return mem_strdup(lost);
	auto_free char *parent = why_parent(j, c, index);
	struct explain_diff d = diff(j);
	d.before = (struct explain_side){.facts = e->facts, .text = was->text};
	d.after.facts = (struct slice){s->facts.data, s->facts.len};
	d.after.text = slice_of(s->text);
	d.parent = parent;
	char *why = explain_diff_find(&d);
	if (why)
		return why;
	if (s->has_key && !slice_eq(d.before.text, d.after.text)) {
		auto_free char *texts = explain_diff_texts(d.before.text, d.after.text);
		return mem_printf("the instruction changed: %s", texts);
	}
	return mem_strdup(s->has_key ? "another input than those that are recorded" : lost);
}

char *explain_why(const struct job *j, size_t stage, size_t index)
{
	const struct explain_live_stage *c = &j->explain->stages[stage];
	const struct explain_step *s = &c->v[index];
	const char *alone = why_alone(j, stage, s);

	if (alone)
		return mem_strdup(alone);
	const struct digest *key = &c->old->steps[s->match].key;
	const struct explain_entry *e = explain_past_entry(&j->explain->past, key);
	return e ? why_differs(j, c, index, e)
		 : mem_strdup("no earlier build of this step is known");
}
