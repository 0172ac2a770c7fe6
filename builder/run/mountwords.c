// SPDX-License-Identifier: Apache-2.0
/*
 * Options are judged twice: while parsing, as far as they hold no variable, and here. What was not
 * written is filled in by the type (mounttypes.c).
 */
#include "builder/run/mountwords.h"

#include <string.h>
#include <strings.h>

#include "builder/plan/dferr.h"
#include "builder/plan/scope.h"
#include "builder/run/mounttypes.h"
#include "builder/state.h"
#include "parser/ast.h"
#include "parser/mountopt.h"
#include "parser/words.h"
#include "store/base/mem.h"
#include "store/base/path.h"

struct expander {
	const struct step *sp;
	struct err **err;
	bool failed;
};

/* Expanded text, NULL when the option was not written (or an error was met, which is remembered).
 */
static const char *mountwords_text(struct expander *x, const struct word *w)
{
	if (!w->text.ptr || x->failed)
		return NULL;
	const char *s = scope_expand(&x->sp->st->scope, x->sp->df, w, x->err);
	x->failed |= !s;
	return s;
}

static bool mountwords_number(
	struct expander *x, const struct word *w, unsigned base, uint64_t max, uint32_t *out)
{
	const char *s = mountwords_text(x, w);
	uint64_t v;

	if (!s || !*s)
		return false;
	if (!words_number(slice_of(s), base, max, &v)) {
		dferr_at(x->err, ERR_SYNTAX, x->sp->df, w->span, NULL,
			"\"%s\" is not a number in range", s);
		x->failed = true;
		return false;
	}
	*out = (uint32_t)v;
	return true;
}

static bool mountwords_flag(struct expander *x, const struct word *w, bool preset)
{
	const char *s = mountwords_text(x, w);
	bool v = preset;

	if (s && !words_bool(slice_of(s), &v)) {
		dferr_at(x->err, ERR_SYNTAX, x->sp->df, w->span, NULL,
			"\"%s\" is neither true nor false", s);
		x->failed = true;
	}
	return v;
}

static void expand_sharing(struct expander *x, const struct word *w, struct runmount *m)
{
	static const char *const names[] = {
		[CACHEMOUNT_SHARED] = "shared",
		[CACHEMOUNT_PRIVATE] = "private",
		[CACHEMOUNT_LOCKED] = "locked",
	};
	const char *s = mountwords_text(x, w);

	if (!s || !*s)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcasecmp(s, names[i]) == 0) {
			m->sharing = (enum cachemount_sharing)i;
			return;
		}
	}
	dferr_at(x->err, ERR_SYNTAX, x->sp->df, w->span, "shared, private or locked",
		"unknown sharing mode \"%s\"", s);
	x->failed = true;
}

/* ".." takes away what is written in front of it, before anything is looked at: as in COPY. */
static const char *cleaned(struct expander *x, const struct runmount *m)
{
	if (mounttypes_of(m)->source_is_id || !m->source || !strstr(m->source, ".."))
		return m->source;
	auto_free char *clean = path_absolute("/", m->source);
	return arena_printf(x->sp->st->scope.arena, "%s", clean).ptr;
}

static int expand_target(struct expander *x, struct runmount *m, size_t nth)
{
	const struct ast_mount *a = m->ast;
	const char *t = mountwords_text(x, &a->target);

	if (x->failed)
		return -1;
	if (t && !*t)
		t = NULL;
	if (t)
		m->target = path_absolute(state_workdir(x->sp->st), t);
	if (mounttypes_of(m)->settle(x->sp, m, t, nth, x->err) < 0)
		return -1;
	if (m->target && strcmp(m->target, "/") == 0)
		return dferr_at(x->err, ERR_SYNTAX, x->sp->df, a->span, NULL,
			"a mount cannot have the root as its target");
	return 0;
}

/* With a variable in it, which is known only now. */
static int mountwords_find_type(struct expander *x, struct runmount *m)
{
	const struct ast_mount *a = m->ast;
	const struct word *w = &a->type_word;
	char all[MOUNTOPT_TYPES_TEXT];
	const char *name, *misfit;

	m->type = a->type;
	if (!w->text.ptr)
		return 0;
	name = mountwords_text(x, w);
	if (!name)
		return -1;
	if (!mountopt_find_type(slice_of(name), &m->type))
		return dferr_at(x->err, ERR_SYNTAX, x->sp->df, w->span, mountopt_types_text(all),
			"unknown mount type \"%s\"", name);
	misfit = mountopt_misfit(a, m->type);
	if (misfit)
		return dferr_at(x->err, ERR_SYNTAX, x->sp->df, a->span, NULL,
			"a %s mount has no option \"%s\"", mountopt_type_name(m->type), misfit);
	return 0;
}

int mountwords_expand(
	const struct step *sp, struct runmount *m, size_t seen[AST_MOUNT_TYPES], struct err **err)
{
	const struct ast_mount *a = m->ast;
	struct expander x = {.sp = sp, .err = err};
	const char *size;

	if (mountwords_find_type(&x, m) < 0)
		return -1;
	m->chown = a->chown.text.ptr;
	m->noexec = a->noexec.text.ptr;
	m->source = mountwords_text(&x, &a->source);
	m->source = cleaned(&x, m);
	m->id = mountwords_text(&x, &a->id);
	m->env = mountwords_text(&x, &a->env);
	(void)mountwords_number(&x, &a->uid, 10, UINT32_MAX - 1, &m->uid);
	(void)mountwords_number(&x, &a->gid, 10, UINT32_MAX - 1, &m->gid);
	m->has_mode = mountwords_number(&x, &a->mode, 8, 07777, &m->mode);
	m->required = mountwords_flag(&x, &a->required, false);
	m->readonly = mountwords_flag(&x, &a->readonly, mounttypes_of(m)->readonly);
	if (a->readwrite.text.ptr)
		m->readonly = !mountwords_flag(&x, &a->readwrite, true);
	expand_sharing(&x, &a->sharing, m);
	size = mountwords_text(&x, &a->size);
	if (size && *size && !words_size(slice_of(size), &m->size))
		return dferr_at(err, ERR_SYNTAX, sp->df, a->size.span, "for example 64m",
			"\"%s\" is not a size", size);
	if (x.failed)
		return -1;
	return expand_target(&x, m, seen[m->type]++);
}
