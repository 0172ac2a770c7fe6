// SPDX-License-Identifier: Apache-2.0
/* Global ARGs and FROM lines. */
#include "parser/lint_private.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void declare_global(
	struct lint *l, struct lint_scope *s, const struct ast_pair *pair, bool given)
{
	struct lint_expanded key, value = {0};
	struct slice v;

	lint_scope_expand(l, s, pair->key.text, LINT_WORD, &key);
	if (given && lint_scope_build_arg(l, key.text, &v)) {
		lint_scope_set(l, s, key.text, v);
		return;
	}
	if (pair->value.text.ptr)
		lint_scope_expand(l, s, pair->value.text, LINT_WORD, &value);
	lint_scope_set(l, s, key.text, value.text);
}

void lint_rules_globals(struct lint *l, struct lint_globals *g)
{
	for (size_t i = 0; i < l->o->nautomatic; i++) {
		lint_scope_set_pair(l, &g->given, l->o->automatic[i]);
		lint_scope_set_pair(l, &g->defaults, l->o->automatic[i]);
	}
	for (size_t i = 0; i < l->df->globals.count; i++) {
		const struct ast_pairs *pairs = &l->df->globals.items[i]->pairs;

		for (size_t k = 0; k < pairs->count; k++) {
			declare_global(l, &g->given, &pairs->items[k], true);
			declare_global(l, &g->defaults, &pairs->items[k], false);
		}
	}
}

static void lint_rules_from_undefined(struct lint *l, const struct lint_scope *s,
	const struct ast_instruction *from, const struct word *w, const struct lint_expanded *e)
{
	for (size_t i = 0; i < e->nmissing; i++) {
		const char *near = lint_scope_nearest(l, s, e->missing[i]);

		lint_hint(l,
			lint_report(l, LINT_UNDEFINED_ARG_IN_FROM, from,
				lint_scope_use(l, w, e->missing[i]),
				"FROM argument '%.*s' is not declared%s%s%s",
				SLICE_ARG(e->missing[i]), near ? " (did you mean " : "",
				near ? near : "", near ? "?)" : ""),
			"FROM sees only ARGs that stand before the first FROM");
	}
}

/* --- --platform --- */

static struct slice component(struct slice platform, size_t number)
{
	size_t at = 0, end;

	while ((end = slice_find(platform, '/', at)) < platform.len && number > 0) {
		at = end + 1;
		number--;
	}
	return number ? (struct slice){0} : slice_sub(platform, at, end - at);
}

static bool names_part(struct slice stage, struct slice part)
{
	static const char *const same[][2] = {{"x86_64", "amd64"}, {"x86-64", "amd64"},
		{"aarch64", "arm64"}, {"armhf", "arm"}, {"armel", "arm"}, {"i386", "386"}};
	const char *other = NULL;
	struct slice text;

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		if (slice_eq_nocase(part, same[i][0]))
			other = same[i][1];
	text = other ? slice_of(other) : part;
	for (size_t i = 0; text.len && i + text.len <= stage.len; i++)
		if (slice_eq(slice_sub(stage, i, text.len), text))
			return true;
	return false;
}

static void check_platform(struct lint *l, const struct lint_scope *s,
	const struct ast_instruction *from, const struct lint_expanded *e)
{
	const struct word *w = &from->from.platform;
	const struct lint_var *target = lint_scope_find(s, SLICE("TARGETPLATFORM"));

	if (e->matched == 1 && e->unset == 0 && target && target->value.ptr &&
		slice_eq(e->only, target->name) && slice_eq(e->text, target->value))
		lint_hint(l,
			lint_report(l, LINT_REDUNDANT_PLATFORM, from, w->span,
				"Setting platform to predefined %.*s in FROM is redundant as this "
				"is the default behavior",
				SLICE_ARG(w->text)),
			"leave --platform out");
	if (e->matched || e->unset || e->nmissing || slice_has(w->text, '$'))
		return;
	if (names_part(from->from.name, component(e->text, 0)) ||
		names_part(from->from.name, component(e->text, 1)))
		return;
	lint_hint(l,
		lint_report(l, LINT_FROM_PLATFORM_CONST, from, w->span,
			"FROM --platform flag should not use constant value \"%.*s\"",
			SLICE_ARG(e->text)),
		"use $BUILDPLATFORM, a variable, or a stage name that tells the platform");
}

static void check_default(
	struct lint *l, const struct lint_globals *g, const struct ast_instruction *from)
{
	const struct word *w = &from->from.image;
	struct lint_expanded e;

	if (!l->o->image_name || !slice_has(w->text, '$'))
		return;
	lint_scope_expand(l, &g->defaults, w->text, LINT_WORD, &e);
	if (!e.ok || (e.text.len && l->o->image_name(l->o->ctx, e.text)))
		return;
	lint_hint(l,
		lint_report(l, LINT_DEFAULT_ARG_IN_FROM, from, w->span,
			"Default value for ARG %.*s results in empty or invalid base image name",
			SLICE_ARG(w->text)),
		e.text.len ? "it is \"%.*s\" without --build-arg"
			   : "it is empty without --build-arg%.*s",
		SLICE_ARG(e.text));
}

/* --- what the stage starts with --- */

static void start_unknown(struct lint *l, struct lint_scope *s, bool open)
{
	s->open = open;
	lint_scope_set_pair(l, s, SLICE(PATH_DEFAULT));
}

static void start_image(struct lint *l, struct lint_scope *s, size_t index, struct slice image,
	struct slice platform)
{
	const struct ast_instruction *from = l->df->stages[index].from;
	struct lint_base base = {0};

	if (l->o->base)
		l->o->base(l->o->ctx, index, image, platform, &base);
	start_unknown(l, s, !base.known);
	for (size_t i = 0; i < base.nenv; i++)
		lint_scope_set_pair(l, s, arena_copy(l->arena, base.env[i]));
	s->shell = base.shell;
	if ((l->o->needed && !l->o->needed[index]) || !base.expected.len)
		return;
	lint_report(l, LINT_BASE_PLATFORM, from, from->from.image.span,
		"Base image %.*s was pulled with platform \"%.*s\", expected \"%.*s\" for current "
		"build",
		SLICE_ARG(image), SLICE_ARG(base.platform), SLICE_ARG(base.expected));
}

static bool earlier(const struct lint *l, struct slice name, size_t before, size_t *index)
{
	for (size_t i = before; i-- > 0;)
		if (l->df->stages[i].name.ptr && slice_eq(l->df->stages[i].name, name)) {
			*index = i;
			return true;
		}
	return false;
}

void lint_rules_from(
	struct lint *l, const struct lint_globals *g, size_t index, struct lint_scope *scopes)
{
	const struct ast_instruction *from = l->df->stages[index].from;
	struct lint_scope *s = &scopes[index];
	struct lint_expanded image, platform = {0};
	size_t base;

	if (!from) {
		start_unknown(l, s, true);
		return;
	}
	lint_scope_expand(l, &g->given, from->from.image.text, LINT_WORD, &image);
	lint_rules_from_undefined(l, &g->given, from, &from->from.image, &image);
	if (from->from.platform.text.ptr) {
		lint_scope_expand(l, &g->given, from->from.platform.text, LINT_WORD, &platform);
		lint_rules_from_undefined(l, &g->given, from, &from->from.platform, &platform);
		check_platform(l, &g->given, from, &platform);
	}
	check_default(l, g, from);
	if (slice_eq_str(image.text, "scratch"))
		start_unknown(l, s, false);
	else if ((!l->o->context || !l->o->context(l->o->ctx, image.text)) &&
		 earlier(l, image.text, index, &base))
		lint_scope_copy(l, s, &scopes[base]);
	else if (image.text.len)
		start_image(l, s, index, image.text, platform.text);
	else
		start_unknown(l, s, true);
}
