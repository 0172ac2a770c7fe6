// SPDX-License-Identifier: Apache-2.0
/*
 * One run of the rules over a parsed file: configuration first, then rules on the text, on what
 * precedes the first FROM, and on each stage. Everything lives in the arena of the result. Whether
 * a finding is shown is decided in lint_report(), by the file's configuration and the comments
 * above the instruction; rules never ask.
 */
#include "parser/lint.h"
#include "parser/lint_private.h"
#include "parser/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* --- comments ---------------------------------------------------------------------------- */

bool lint_is_directive(const struct lint *l, const struct word *comment)
{
	const struct word *words[] = {&l->df->syntax, &l->df->check, &l->df->escape_word};
	size_t line = source_line_of(&l->df->source, comment->span.off);

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i]->text.ptr &&
			source_line_of(&l->df->source, words[i]->span.off) == line)
			return true;
	return false;
}

/* What the comments above an instruction say; mistakes in them are comments like any other. */
static struct lint_config config_of(const struct lint *l, const struct ast_instruction *ins)
{
	struct lint_config c = {0};

	for (size_t i = 0; ins && i < ins->checks.count; i++)
		if (!lint_is_directive(l, &ins->checks.items[i]))
			lint_config_add(&c, ins->checks.items[i].text, l->arena);
	return c;
}

static bool lint_named(const struct lint_names *names, enum lint_rule rule)
{
	struct lint_config c = {.skip = *names};

	c.skip.all = false;
	return !lint_config_allows(&c, rule) && !lint_rule_info(rule)->experimental;
}

static bool allows(const struct lint *l, const struct lint_config *own, enum lint_rule rule)
{
	struct lint_config both = *own;
	struct lint_config skips = {.skip = own->skip, .experimental = {.all = true}};

	if (!lint_config_allows(&skips, rule))
		return false;
	if (lint_config_allows(&l->config, rule))
		return true;
	/* The instruction can ask for an experimental rule on its own. */
	both.skip = l->config.skip;
	return lint_rule_info(rule)->experimental && !lint_named(&l->config.skip, rule) &&
	       lint_config_allows(&both, rule);
}

bool lint_allowed(const struct lint *l, enum lint_rule rule, const struct ast_instruction *ins)
{
	struct lint_config own = config_of(l, ins);

	return allows(l, &own, rule);
}

/* --- findings ------------------------------------------------------------------------------ */

struct diag *lint_report(struct lint *l, enum lint_rule rule, const struct ast_instruction *ins,
	struct span at, const char *fmt, ...)
{
	struct lint_result *out = l->out;
	struct lint_config own;
	struct lint_finding *f;
	char text[1024];
	va_list args;
	bool error;

	if (rule == LINT_EXTENSION && !l->o->portable)
		return NULL;
	own = config_of(l, ins);
	if (!allows(l, &own, rule))
		return NULL;
	error = l->config.error || own.error;
	out->found++;
	out->errors += error;
	if (out->count == LINT_FINDINGS_MAX)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	out->items = arena_grow(l->arena, out->items, out->count, &out->cap, sizeof *out->items);
	f = &out->items[out->count++];
	*f = (struct lint_finding){.rule = rule, .error = error};
	f->diag.severity = error ? DIAG_ERROR : DIAG_WARNING;
	f->diag.rule = lint_rule_info(rule)->name;
	f->diag.span = at;
	f->diag.message = arena_copy(l->arena, slice_of(text));
	return &f->diag;
}

void lint_hint(struct lint *l, struct diag *d, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (!d)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	d->hint = arena_copy(l->arena, slice_of(text));
}

void lint_note(struct lint *l, struct diag *d, const char *text)
{
	struct slice *note;

	if (!d)
		return;
	note = arena_alloc(l->arena, sizeof *note);
	*note = slice_of(text);
	d->notes = note;
	d->nnotes = 1;
}

struct span lint_span(const struct lint *l, struct slice cut, struct span other)
{
	struct slice all = l->df->source.text;

	if (cut.ptr < all.ptr || cut.ptr + cut.len > all.ptr + all.len)
		return other;
	return (struct span){(size_t)(cut.ptr - all.ptr), cut.len};
}

static int lint_compare(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;

	if (x->diag.span.off != y->diag.span.off)
		return x->diag.span.off < y->diag.span.off ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return slice_cmp(x->diag.message, y->diag.message);
}

/* --- a run ---------------------------------------------------------------------------------- */

static void take_config(struct lint *l)
{
	bool replaced = l->o->check.ptr != NULL;
	struct slice value = replaced ? l->o->check : l->df->check.text;
	const char *wrong = value.ptr ? lint_config_add(&l->config, value, l->arena) : NULL;
	struct diag *d = &l->out->bad;

	if (!wrong)
		return;
	l->config = (struct lint_config){0};
	l->out->bad_check = true;
	d->severity = DIAG_ERROR;
	d->rule = "check";
	if (!replaced)
		d->span = l->df->check.span;
	d->message = replaced ? arena_printf(l->arena, "BUILDKIT_DOCKERFILE_CHECK: %s", wrong)
			      : slice_of(wrong);
	d->hint = SLICE("write # check=skip=RULE,RULE;error=true;experimental=RULE");
}

struct lint_result *lint_run(const struct dockerfile *df, const struct lint_opts *o)
{
	struct arena *arena = arena_new();
	struct lint_result *out = arena_alloc(arena, sizeof *out);
	struct lint l = {.df = df, .o = o, .out = out, .arena = arena};
	struct lint_scope *scopes = arena_array(arena, df->nstages + 1, sizeof *scopes);
	struct lint_globals globals = {0};

	*out = (struct lint_result){.arena = arena, .df = df};
	take_config(&l);
	lint_rules_text(&l);
	lint_rules_extensions(&l);
	lint_rules_globals(&l, &globals);
	for (size_t i = 0; i < df->nstages; i++) {
		lint_rules_from(&l, &globals, i, scopes);
		if (!o->needed || o->needed[i])
			lint_rules_stage(&l, &globals, i, &scopes[i]);
	}
	if (out->count)
		qsort(out->items, out->count, sizeof *out->items, lint_compare);
	return out;
}

void lint_free(struct lint_result *r)
{
	if (r)
		arena_free(r->arena);
}
