// SPDX-License-Identifier: Apache-2.0
/*
 * From the tree of a Dockerfile to a plan: globals, what each FROM is, targets, what from= means.
 * Earlier stages go before images, named contexts before both and case counts in FROM but not in
 * from=. What stages need of each other is planneeds.c's.
 */
#include "builder/plan/plan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/plan/dferr.h"
#include "builder/plan/fromref.h"
#include "builder/plan/hints.h"
#include "builder/plan/planneeds.h"
#include "builder/plan/platformword.h"
#include "store/base/mem.h"
#include "store/reference.h"
#include "store/transport/transfer.h"

/* S6: automatic variables of the global scope. */
static void declare_platform(
	struct scope *g, const char *prefix, const struct oci_platform *p, bool full)
{
	const struct {
		const char *suffix;
		const char *value;
	} parts[] = {
		{"OS", p->os},
		{"ARCH", p->architecture},
		{"VARIANT", p->variant},
		{"OSVERSION", full ? p->os_version : NULL},
	};
	auto_free char *text = oci_platform_text(p);
	auto_free char *name = mem_printf("%sPLATFORM", prefix);

	scope_declare(g, name, text);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		auto_free char *n = mem_printf("%s%s", prefix, parts[i].suffix);
		scope_declare(g, n, parts[i].value ? parts[i].value : "");
	}
}

void plan_automatic(const struct plan_opts *o, struct scope *globals)
{
	auto_oci_platform struct oci_platform host = {0};

	oci_platform_host(&host);
	declare_platform(globals, "BUILD", &host, false);
	declare_platform(globals, "TARGET", o->platform, true);
	/* --build-arg overrides them, as in BuildKit. */
	for (size_t i = 0; i < globals->args.n; i++) {
		const char *v = strlist_get_kv(o->build_args, globals->args.v[i]);
		if (v)
			scope_set(globals, globals->args.v[i], v);
	}
}

static int declare_globals(
	struct plan *p, const struct dockerfile *df, const struct plan_opts *o, struct err **err)
{
	for (size_t i = 0; i < df->globals.count; i++) {
		const struct ast_instruction *ins = df->globals.items[i];
		for (size_t k = 0; k < ins->pairs.count; k++) {
			const struct ast_pair *pair = &ins->pairs.items[k];
			const char *name = scope_expand(&p->globals, df, &pair->key, err);
			if (!name)
				return -1;
			const char *value = strlist_get_kv(o->build_args, name);
			if (!value && pair->value.text.ptr) {
				value = scope_expand(&p->globals, df, &pair->value, err);
				if (!value)
					return hints_add(&p->globals, df, ins, err);
			}
			if (value && scope_charge(&p->globals, strlen(value) + BUDGET_ENTRY, df,
					     &pair->key, err) < 0)
				return -1;
			scope_declare(&p->globals, name, value);
		}
	}
	return 0;
}

/* The last earlier stage of that name; case does not count when nocase. -1 = none. */
static long plan_find_stage(const struct plan *p, const char *name, size_t before, bool nocase)
{
	for (size_t i = before; i-- > 0;) {
		struct slice s = p->stages[i].ast->name;
		if (s.ptr && (nocase ? slice_eq_nocase(s, name) : slice_eq_str(s, name)))
			return (long)i;
	}
	return -1;
}

/* "docker.io/library/alpine:latest" for "alpine"; the text itself when it is no image name. */
static char *normalised(const char *text)
{
	auto_reference struct reference r = {0};

	return reference_parse(text, &r, NULL) == 0 ? reference_text(&r) : mem_strdup(text);
}

/* "NAME::OS/ARCH" is for that platform only. */
static bool context_is(
	const char *context, const char *word, const char *full, const char *platform)
{
	const char *mark = strstr(context, "::");
	auto_oci_platform struct oci_platform of = {0};

	if (!platform != !mark)
		return false;
	auto_free char *base =
		mem_strndup(context, mark ? (size_t)(mark - context) : strlen(context));
	if (mark) {
		if (oci_platform_parse(mark + 2, &of, NULL) < 0)
			return false;
		auto_free char *text = oci_platform_text(&of);
		if (strcmp(text, platform) != 0)
			return false;
	}
	auto_free char *name = normalised(base);
	return strcmp(base, word) == 0 || strcmp(name, full) == 0;
}

/* The named context a word means: by its text or as the same image name. One for the platform goes
 * before one for all; of several the last one given. */
static const char *find_context(const struct strlist *names, const char *word, const char *platform)
{
	auto_free char *full = normalised(word);

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = names->n; i-- > 0;)
			if (context_is(names->v[i], word, full, pass ? NULL : platform))
				return names->v[i];
	return NULL;
}

/* A name that cannot be one of an image is a mistake in the Dockerfile, also in a stage that is not
 * needed; w NULL: in the command line. Digests and beginnings of image IDs are no names, and mean
 * an image of the store. */
static int check_image_name(
	const struct dockerfile *df, const struct word *w, const char *name, struct err **err)
{
	auto_reference struct reference r = {0};
	struct digest d;

	if (transfer_is_local(name) || sha256_parse_string(name, &d) == 0 ||
		sha256_parse_hex(name, strlen(name), &d) == 0 ||
		reference_parse(name, &r, err) == 0)
		return 0;
	if (!w) {
		err_rekind(err, ERR_USAGE);
		return err_prefix(err, "--from");
	}
	err_rekind(err, ERR_SYNTAX);
	return dferr_locate(err, df, w->span);
}

static int plan_from_line(struct plan *p, const struct dockerfile *df, const struct plan_opts *o,
	size_t i, struct err **err)
{
	struct plan_stage *st = &p->stages[i];
	const struct ast_instruction *from = df->stages[i].from;
	/* --from: what the line says is not even expanded. */
	const char *base = i == 0 && o->first_from
				   ? o->first_from
				   : scope_expand(&p->globals, df, &from->from.image, err);

	if (!base)
		return -1;
	if (!*base)
		return dferr_at(err, ERR_SYNTAX, df, from->from.image.span, NULL,
			"the base name is empty after expansion");
	if (from->from.platform.text.ptr) {
		const char *platform = scope_expand(&p->globals, df, &from->from.platform, err);
		if (!platform)
			return -1;
		if (!*platform)
			return dferr_at(err, ERR_SYNTAX, df, from->from.platform.span, NULL,
				"the platform is empty after expansion");
		auto_oci_platform struct oci_platform parsed = {0};
		if (platformword_parse(platform, false, &parsed, err) < 0) {
			err_rekind(err, ERR_SYNTAX);
			return dferr_locate(err, df, from->from.platform.span);
		}
		st->platform = mem_strdup(platform);
		st->builds_for = oci_platform_text(&parsed);
	}
	long stage = plan_find_stage(p, base, i, false);
	if (!st->builds_for)
		st->builds_for = oci_platform_text(o->platform);
	const char *context = find_context(o->context_names, base, st->builds_for);
	if (strcmp(base, "scratch") == 0) {
		st->base = PLAN_SCRATCH;
	} else if (context) {
		st->base = PLAN_CONTEXT;
		st->base_name = mem_strdup(context);
	} else if (stage >= 0) {
		st->base = PLAN_STAGE;
		st->base_stage = (size_t)stage;
		if (!st->platform) {
			free(st->builds_for);
			st->builds_for = mem_strdup(p->stages[stage].builds_for);
		}
	} else {
		bool given = base == o->first_from;
		if (check_image_name(df, given ? NULL : &from->from.image, base, err) < 0)
			return -1;
		st->base = PLAN_IMAGE;
		st->base_name = mem_strdup(base);
	}
	return 0;
}

static bool plan_all_digits(struct slice s)
{
	if (s.len == 0 || s.len > 6)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!isdigit((unsigned char)s.ptr[i]))
			return false;
	return true;
}

static int stage_reference(const struct plan *p, size_t index, size_t self,
	const struct dockerfile *df, const struct word *from, struct plan_from *out, bool *ahead,
	struct err **err)
{
	auto_free char *cycle = index > self ? planneeds_cycle(p, self, index) : NULL;

	if (index == self)
		return dferr_at(
			err, ERR_SYNTAX, df, from->span, NULL, "a stage cannot copy from itself");
	if (cycle)
		return dferr_at(err, ERR_SYNTAX, df, from->span,
			"a stage can only use stages in front of it", "circular dependency: %s",
			cycle);
	if (index > self && ahead) {
		*ahead = true;
		return 0;
	}
	if (index > self)
		return dferr_at(err, ERR_SYNTAX, df, from->span,
			"move that stage in front of this one",
			"stage \"%.*s\" is defined after this one", SLICE_ARG(from->text));
	out->kind = PLAN_FROM_STAGE;
	out->stage = index;
	return 0;
}

/* The text itself stays where it is when the list grows. */
static const char *keep_name(struct plan *p, struct slice text)
{
	char *name = mem_strndup(text.ptr, text.len);

	pthread_mutex_lock(&p->naming);
	strlist_add_take(&p->names, name);
	pthread_mutex_unlock(&p->naming);
	return name;
}

int plan_resolve_from(struct plan *p, const struct dockerfile *df,
	const struct strlist *context_names, size_t self, const struct word *from, bool number_ok,
	struct plan_from *out, bool *ahead, struct err **err)
{
	*out = (struct plan_from){.kind = PLAN_FROM_CONTEXT};
	if (!from->text.ptr)
		return 0;
	if (from->text.len == 0)
		return dferr_at(
			err, ERR_SYNTAX, df, from->span, NULL, "the value of from= is empty");
	const char *name = keep_name(p, from->text);

	if (number_ok && plan_all_digits(from->text)) {
		size_t index = strtoul(name, NULL, 10);
		if (index >= p->nstages)
			return dferr_at(err, ERR_SYNTAX, df, from->span, NULL,
				"there is no stage %s; the file has %zu, counted from 0", name,
				p->nstages);
		return stage_reference(p, index, self, df, from, out, ahead, err);
	}
	out->name = find_context(context_names, name, p->stages[self].builds_for);
	if (out->name) {
		out->kind = PLAN_FROM_NAMED;
		return 0;
	}
	out->name = name;
	/* An earlier stage wins; only when there is none is a later one (or this one) a mistake to
	 * report. */
	long stage = plan_find_stage(p, name, self, true);
	if (stage < 0)
		stage = plan_find_stage(p, name, p->nstages, true);
	if (stage >= 0)
		return stage_reference(p, (size_t)stage, self, df, from, out, ahead, err);
	out->kind = PLAN_FROM_IMAGE;
	return check_image_name(df, from, name, err);
}

static int plan_find_target(struct plan *p, const char *target, struct err **err)
{
	long stage = (long)p->nstages - 1;

	if (target && *target) {
		stage = plan_find_stage(p, target, p->nstages, true);
		if (stage < 0 && plan_all_digits(slice_of(target)))
			stage = strtol(target, NULL, 10);
		if (stage < 0 || (size_t)stage >= p->nstages) {
			err_set(err, ERR_USAGE, "--target: there is no stage \"%s\"", target);
			return hints_near_stage(p->stages[0].ast, p->nstages, target, err);
		}
	}
	p->target = p->targets[p->ntargets++] = (size_t)stage;
	p->stages[p->target].needed = true;
	return 0;
}

static int find_targets(struct plan *p, const struct plan_opts *o, struct err **err)
{
	p->targets = mem_array(o->ntargets, sizeof *p->targets);
	for (size_t i = 0; i < o->ntargets; i++)
		if (plan_find_target(p, o->targets[i], err) < 0)
			return -1;
	return 0;
}

int plan_make(
	const struct dockerfile *df, const struct plan_opts *o, struct plan *out, struct err **err)
{
	auto_plan struct plan p = {.naming = PTHREAD_MUTEX_INITIALIZER};

	scope_init(&p.globals);
	p.globals.budget = o->budget;
	p.nstages = df->nstages;
	p.stages = mem_alloc((df->nstages + 1) * sizeof *p.stages);
	if (df->nstages == 0)
		return err_set(err, ERR_SYNTAX, "the Dockerfile has no FROM");
	for (size_t i = 0; i < p.nstages; i++)
		p.stages[i].ast = &df->stages[i];
	if (find_targets(&p, o, err) < 0)
		return -1;
	plan_automatic(o, &p.globals);
	struct slice stage_name = df->stages[p.target].name;
	auto_free char *target_stage = stage_name.ptr ? mem_strndup(stage_name.ptr, stage_name.len)
						      : mem_strdup("default");
	const char *given = o->targets[o->ntargets - 1];
	scope_declare(&p.globals, "TARGETSTAGE", given && *given ? given : target_stage);
	if (declare_globals(&p, df, o, err) < 0)
		return -1;
	for (size_t i = 0; i < p.nstages; i++) {
		struct slice name = df->stages[i].name;
		p.stages[i].title =
			name.ptr ? mem_strndup(name.ptr, name.len) : mem_printf("%zu", i);
		if (plan_from_line(&p, df, o, i, err) < 0)
			return hints_add(&p.globals, df, df->stages[i].from, err);
	}
	if (fromref_make(&p, df, o, err) < 0)
		return -1;
	if (planneeds_make(&p, df, o->context_names, err) < 0)
		return -1;
	*out = p;
	pthread_mutex_init(&out->naming, NULL);
	memset(&p, 0, sizeof p);
	return 0;
}

void plan_clear(struct plan *p)
{
	for (size_t i = 0; p->stages && i < p->nstages; i++) {
		free(p->stages[i].title);
		free(p->stages[i].base_name);
		free(p->stages[i].platform);
		free(p->stages[i].builds_for);
		free(p->stages[i].deps);
	}
	free(p->stages);
	free(p->targets);
	scope_clear(&p->globals);
	fromref_free(p->fromrefs);
	strlist_clear(&p->names);
	memset(p, 0, sizeof *p);
}
