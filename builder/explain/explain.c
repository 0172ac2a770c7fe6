// SPDX-License-Identifier: Apache-2.0
/*
 * Collects, for each step that runs, the parts of its key in words, compares them with those of the
 * last builds of the same context and Dockerfile, and keeps them in the cache when the build ends.
 * Values that may be secret are noted as digests.
 */
#include "builder/explain/explain.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/cache/cachekey.h"
#include "builder/copy/copy.h"
#include "builder/explain/explain_list.h"
#include "builder/explain/explain_past.h"
#include "builder/explain/explain_state.h"
#include "builder/origin.h"
#include "builder/plan/scope.h"
#include "parser/lint.h"
#include "store/base/mem.h"
#include "store/cache.h"
#include "store/oci/oci.h"
#include "store/store.h"

#define LINK_TEXT_MAX 4096 /* bytes of a path in /proc */

struct explain *explain_new(void)
{
	struct explain *x = mem_alloc(sizeof *x);

	pthread_mutex_init(&x->lock, NULL);
	return x;
}

static void explain_live_stage_clear(struct explain_live_stage *c)
{
	for (size_t i = 0; i < c->n; i++) {
		buf_clear(&c->v[i].facts);
		free(c->v[i].text);
	}
	free(c->v);
	buf_clear(&c->base);
	free(c->platform);
}

void explain_free(struct explain *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->nstages; i++)
		explain_live_stage_clear(&x->stages[i]);
	free(x->stages);
	for (size_t i = 0; i < x->nfiles; i++)
		free((void *)(uintptr_t)x->files[i].bytes.ptr);
	free(x->files);
	explain_past_clear(&x->past);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

/* --- the record ------------------------------------------------------------------------------- */

static bool explain_is_remote(const char *context)
{
	return strcmp(context, "-") == 0 || strstr(context, "://") ||
	       strncmp(context, "git@", 4) == 0;
}

/* What makes two builds builds of the same thing: where the context is, and which Dockerfile. */
static void identify(const struct job *j, struct digest *out)
{
	const char *context = j->session.o->context ? j->session.o->context : "",
		   *file = j->session.o->dockerfile;
	auto_free char *real = file && strcmp(file, "-") != 0 ? realpath(file, NULL) : NULL;
	char link[64], path[LINK_TEXT_MAX];
	struct sha256 h;
	ssize_t n = -1;

	if (j->contexts.main.dir_fd >= 0 && !explain_is_remote(context)) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", j->contexts.main.dir_fd);
		n = readlink(link, path, sizeof path);
	}
	sha256_init(&h);
	sha256_field_str(&h, "explain");
	if (n > 0)
		sha256_field(&h, path, (size_t)n);
	else
		sha256_field_str(&h, context);
	sha256_field_str(&h, real ? real : file);
	sha256_final(&h, out);
}

/* The record of the earlier builds, read once. */
static const struct explain_past *explain_load(struct job *j)
{
	struct explain *x = j->explain;
	char *value = NULL;
	size_t len;

	pthread_mutex_lock(&x->lock);
	if (!x->loaded) {
		identify(j, &x->id);
		if (cache_find(j->session.s, &x->id, &value, &len, NULL) > 0)
			explain_past_read(&x->past, value, len);
		x->had_past = x->past.nstages > 0;
		x->loaded = true;
	}
	pthread_mutex_unlock(&x->lock);
	return &x->past;
}

/* --- facts ------------------------------------------------------------------------------------ */

/* Does the result have the history and the configuration of this stage? */
static bool is_public(const struct job *j, size_t stage)
{
	const struct plan_stage *stages = j->plan.stages;
	size_t s = j->plan.target;

	while (s != stage && stages[s].base == PLAN_STAGE)
		s = stages[s].base_stage;
	return s == stage;
}

/* A value that an ARG may have brought, in a stage that is not seen from outside. */
static bool holds_arg(const struct scope *scope, const struct strlist *env, const char *value)
{
	for (size_t i = 0; i < scope->args.n; i++) {
		const char *name = scope->args.v[i], *arg = scope_get(scope, name);
		if (arg && *arg && !strlist_get_kv(env, name) && strstr(value, arg))
			return true;
	}
	return false;
}

/* By its name, or because it is made of one that is: the reasons are shown, and end in logs that
 * more people read than the image. */
static bool may_be_secret(const struct scope *scope, const char *name, const char *value)
{
	if (lint_secret_name(slice_of(name)))
		return true;
	for (size_t i = 0; i < scope->args.n; i++) {
		const char *arg = lint_secret_name(slice_of(scope->args.v[i]))
					  ? scope_get(scope, scope->args.v[i])
					  : NULL;
		if (arg && *arg && strstr(value, arg))
			return true;
	}
	return false;
}

static void note_variables(
	struct buf *facts, const struct job *j, const struct step *sp, const struct strlist *vars)
{
	const struct strlist *env = &sp->st->config.env;
	bool public = is_public(j, sp->stage);

	for (size_t i = 0; i < vars->n; i++) {
		const char *value;
		auto_free char *name = strlist_split_kv(vars->v[i], &value);
		bool is_env = strlist_get_kv(env, name) != NULL;
		auto_free char *fact = mem_printf("%s %s", is_env ? "ENV" : "ARG", name);
		if (!may_be_secret(&sp->st->scope, name, value) &&
			(public || (is_env && !holds_arg(&sp->st->scope, env, value))))
			keyparts_note(facts, KEYPART_VALUE, fact, value);
		else
			keyparts_note_hidden(facts, KEYPART_VALUE, fact, value);
	}
}

void explain_environment(
	struct keyparts *k, const struct job *j, const struct step *sp, const struct strlist *vars)
{
	if (k->facts)
		note_variables(k->facts, j, sp, vars);
	cachekey_list(keyparts_implied(k), vars);
}

void explain_files(struct job *j, struct buf *facts, const char *prefix,
	const struct copy_selection *s, const struct digest *id, const char *const *names,
	size_t nnames)
{
	struct explain *x = j->explain;
	struct buf b;

	keyparts_note_digest(facts, KEYPART_LIST, prefix, id);
	buf_init(&b, BUF_TEXT_MAX);
	explain_list_add(&b, s, names, nnames);
	size_t len = b.len;
	struct explain_files f = {.id = *id, .bytes = {buf_take(&b), len}};
	pthread_mutex_lock(&x->lock);
	MEM_PUSH(x->files, x->nfiles, x->cap_files) = f;
	pthread_mutex_unlock(&x->lock);
}

/* The walk and the contents are known since the key was made. */
static void note_mount(struct job *j, struct buf *facts, const char *prefix, const struct origin *o,
	const char *path)
{
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = path};
	struct copy_request q = {.items = &item,
		.nitems = 1,
		.tmp_dir_fd = store_spool_fd(j->session.s),
		.cancelled = stop_flag(&j->session.stop)};
	struct digest id;

	if (origin_root(j, o, &q.root, NULL) < 0)
		return;
	auto_copy_selection struct copy_selection *s = copy_select(&q, NULL, NULL);
	if (s && copy_digest(s, &id, NULL) == 0)
		explain_files(j, facts, prefix, s, &id, NULL, 0);
}

struct sha256 *explain_mount(struct keyparts *k, struct job *j, const char *prefix,
	const struct origin *o, const char *path)
{
	if (k->facts)
		note_mount(j, k->facts, prefix, o, path);
	return keyparts_implied(k);
}

/* "HEX stage TITLE" or "HEX image NAME". */
static char *origin_text(const struct job *j, const struct state *st)
{
	char hex[DIGEST_HEX];
	const char *kind = "image", *name = st->base_name ? st->base_name : "scratch";

	for (size_t i = 0; i < j->plan.nstages; i++) {
		if (st != &j->stages[i])
			continue;
		kind = "stage";
		name = j->plan.stages[i].title;
	}
	return mem_printf("%s %s %s", sha256_hex(&st->key, hex), kind, name);
}

struct sha256 *explain_origin(
	struct keyparts *k, const struct job *j, const char *prefix, const struct state *st)
{
	auto_free char *value = k->facts ? origin_text(j, st) : NULL;

	return keyparts_part(k, KEYPART_ORIGIN, prefix, value);
}

/* --- steps ------------------------------------------------------------------------------------ */

static struct explain_live_stage *explain_live_stage_of(struct job *j, size_t stage)
{
	struct explain *x = j->explain;

	pthread_mutex_lock(&x->lock);
	if (!x->stages) {
		x->nstages = j->plan.nstages;
		x->stages = mem_array(x->nstages, sizeof *x->stages);
	}
	pthread_mutex_unlock(&x->lock);
	return &x->stages[stage];
}

void explain_opened(struct job *j, size_t stage)
{
	const struct plan_stage *ps = &j->plan.stages[stage];
	const struct state *st = &j->stages[stage];
	struct explain_live_stage *c = explain_live_stage_of(j, stage);

	c->opened = true;
	c->platform = oci_platform_text(&st->config.platform);
	buf_init(&c->base, BUF_TEXT_MAX);
	if (ps->base == PLAN_STAGE) {
		keyparts_note(
			&c->base, KEYPART_VALUE, "FROM", j->plan.stages[ps->base_stage].title);
		auto_free char *value = origin_text(j, &j->stages[ps->base_stage]);
		keyparts_note(&c->base, KEYPART_ORIGIN, "", value);
		return;
	}
	keyparts_note(&c->base, KEYPART_VALUE, "FROM",
		ps->base == PLAN_SCRATCH ? "scratch" : ps->base_name);
	keyparts_note(&c->base, KEYPART_VALUE, "platform", c->platform);
	if (ps->base == PLAN_IMAGE)
		keyparts_note_digest(&c->base, KEYPART_DIGEST, "base moved", &st->base_digest);
	keyparts_note_digest(&c->base, KEYPART_LAST,
		ps->base == PLAN_CONTEXT ? "the base: content" : "the base: configuration",
		&st->key);
}

static struct explain_step *explain_add_step(struct job *j, const struct step *sp)
{
	struct explain_live_stage *c = explain_live_stage_of(j, sp->stage);
	struct explain_step *s = &MEM_PUSH(c->v, c->n, c->cap);

	*s = (struct explain_step){
		.ins = sp->ins, .text = step_text(sp), .number = sp->number, .match = EXPLAIN_NONE};
	return s;
}

static void explain_tell(struct job *j, const struct step *sp, size_t index)
{
	auto_free char *why = explain_why(j, sp->stage, index);

	struct event e = step_event(sp, EVENT_STEP_WHY, &j->session.events);

	e.text = why;
	events_emit(&j->session.events, &e);
}

void explain_runs(
	struct job *j, const struct step *sp, const struct digest *key, struct buf *take_facts)
{
	struct explain *x = j->explain;
	struct explain_step *s = explain_add_step(j, sp);
	const struct explain_live_stage *c = &x->stages[sp->stage];

	s->ran = true;
	s->facts = *take_facts;
	*take_facts = (struct buf){0};
	if (key) {
		s->key = *key;
		s->has_key = true;
	}
	pthread_mutex_lock(&x->lock);
	x->dirty = true;
	pthread_mutex_unlock(&x->lock);
	if (!j->session.o->explain)
		return;
	explain_load(j);
	explain_match(j, sp->stage, c->n - 1);
	explain_tell(j, sp, c->n - 1);
}

static struct explain_step *running(struct job *j, const struct step *sp)
{
	struct explain_live_stage *c = explain_live_stage_of(j, sp->stage);
	struct explain_step *last = c->n ? &c->v[c->n - 1] : NULL;

	return last && last->number == sp->number && last->ran && !last->done ? last : NULL;
}

void explain_adds(struct job *j, const struct step *sp, struct buf *take_facts)
{
	struct explain_step *s = running(j, sp);

	if (s)
		buf_add(&s->facts, take_facts->data, take_facts->len);
	buf_clear(take_facts);
}

/* All from the cache, but not what the last build had: the next one is compared with this. */
static void note_return(struct job *j, size_t stage, const struct digest *key)
{
	struct explain *x = j->explain;
	const struct explain_live_stage *c = &x->stages[stage];
	size_t match = c->v[c->n - 1].match;

	if (!c->old || match == EXPLAIN_NONE || sha256_equal(&c->old->steps[match].key, key))
		return;
	pthread_mutex_lock(&x->lock);
	x->dirty = true;
	pthread_mutex_unlock(&x->lock);
}

void explain_done(struct job *j, const struct step *sp, const struct digest *key)
{
	struct explain_step *s = running(j, sp);

	if (!s) {
		s = explain_add_step(j, sp);
		if (j->session.o->explain) {
			explain_load(j);
			explain_match(j, sp->stage, j->explain->stages[sp->stage].n - 1);
			note_return(j, sp->stage, key);
		}
	}
	s->key = *key;
	s->has_key = true;
	s->done = true;
}

/* --- keeping ---------------------------------------------------------------------------------- */

static void explain_save_stage(struct job *j, size_t stage, struct explain_past *out)
{
	struct explain_live_stage *c = &j->explain->stages[stage];
	struct explain_stage s = {.title = slice_of(j->plan.stages[stage].title),
		.platform = slice_of(c->platform),
		.base = {c->base.data, c->base.len}};

	if (!j->session.o->explain)
		explain_match(j, stage, 0);
	for (size_t i = 0; i < c->n; i++) {
		struct explain_step *t = &c->v[i];
		if (!t->has_key) /* it failed before it had one */
			sha256_of(t->facts.data, t->facts.len, &t->key);
		MEM_PUSH(s.steps, s.nsteps, s.cap) =
			(struct explain_mark){.key = t->key, .text = slice_of(t->text)};
		if (t->ran)
			MEM_PUSH(out->entries, out->nentries, out->cap_entries) =
				(struct explain_entry){.key = t->key,
					.done = t->done,
					.facts = {t->facts.data, t->facts.len}};
	}
	/* What was not reached is as it was. */
	for (size_t i = c->next_old; c->old && j->progress[stage].phase != JOB_DONE; i++) {
		if (i >= c->old->nsteps)
			break;
		MEM_PUSH(s.steps, s.nsteps, s.cap) = c->old->steps[i];
	}
	MEM_PUSH(out->stages, out->nstages, out->cap_stages) = s;
}

/* Stages that the file still has and that were not built now, also for other platforms. */
static void save_others(const struct job *j, struct explain_past *out)
{
	const struct explain_past *past = &j->explain->past;
	size_t built = out->nstages;

	for (size_t i = 0; i < past->nstages; i++) {
		const struct explain_stage *old = &past->stages[i];
		bool replaced = false, there = false;
		for (size_t k = 0; k < built; k++)
			replaced |= slice_eq(out->stages[k].title, old->title) &&
				    slice_eq(out->stages[k].platform, old->platform);
		for (size_t k = 0; k < j->plan.nstages; k++)
			there |= slice_eq_str(old->title, j->plan.stages[k].title);
		if (replaced || !there)
			continue;
		struct explain_stage s = *old;
		s.cap = s.nsteps;
		s.steps = mem_array(s.nsteps + 1, sizeof *s.steps);
		for (size_t k = 0; k < s.nsteps; k++)
			s.steps[k] = old->steps[k];
		MEM_PUSH(out->stages, out->nstages, out->cap_stages) = s;
	}
}

static bool has_step(const struct explain_past *p, const struct digest *key)
{
	for (size_t i = 0; i < p->nstages; i++)
		for (size_t k = 0; k < p->stages[i].nsteps; k++)
			if (sha256_equal(&p->stages[i].steps[k].key, key))
				return true;
	return false;
}

static void save_entries(const struct explain_past *past, struct explain_past *out)
{
	for (size_t i = 0; i < past->nentries; i++) {
		struct explain_entry e = past->entries[i];
		if (explain_past_entry(out, &e.key))
			continue;
		e.age = has_step(out, &e.key) ? 0 : e.age + 1;
		if (e.age < EXPLAIN_PAST_AGES)
			MEM_PUSH(out->entries, out->nentries, out->cap_entries) = e;
	}
}

static bool explain_is_used(const struct explain_past *p, const struct digest *id)
{
	char hex[DIGEST_HEX];

	sha256_hex(id, hex);
	for (size_t i = 0; i < p->nentries; i++)
		if (memmem(p->entries[i].facts.ptr, p->entries[i].facts.len, hex, strlen(hex)))
			return true;
	return false;
}

static void save_files(const struct explain *x, struct explain_past *out)
{
	const struct explain_files *v[] = {x->files, x->past.files};
	const size_t n[] = {x->nfiles, x->past.nfiles};

	for (size_t s = 0; s < ARRAY_LEN(v); s++)
		for (size_t i = 0; i < n[s]; i++)
			if (!explain_past_files(out, &v[s][i].id).ptr &&
				explain_is_used(out, &v[s][i].id))
				MEM_PUSH(out->files, out->nfiles, out->cap_files) = v[s][i];
}

void explain_save(struct job *j)
{
	struct explain *x = j->explain;
	struct explain_past out = {0};
	auto_buf struct buf b = {0};

	if (!x->dirty)
		return;
	explain_load(j);
	for (size_t i = 0; i < x->nstages; i++)
		if (x->stages[i].opened)
			explain_save_stage(j, i, &out);
	save_others(j, &out);
	save_entries(&x->past, &out);
	save_files(x, &out);
	buf_init(&b, CACHE_VALUE_MAX);
	explain_past_write(&out, &b);
	/* Without it nothing is lost but a reason. */
	(void)cache_replace(j->session.s, &x->id, b.data, b.len, NULL);
	explain_past_clear(&out);
}
