// SPDX-License-Identifier: Apache-2.0
/*
 * What a stage starts from: scratch, an earlier stage, a build context, or an image, which is
 * looked for in the store and pulled as --pull says. The result is a state for the stage to change.
 * What --reset and --inherit-labels take away is gone before the key of an image is made; --env
 * comes last, as a first ENV line. Errors are placed at the FROM line here, for what is below does
 * not know the file.
 */
#include "builder/base.h"

#include <stdlib.h>
#include <string.h>

#include "builder/cache/cachekey.h"
#include "builder/cache/commit.h"
#include "builder/fetch/creds.h"
#include "builder/fetch/fetchenv.h"
#include "builder/image/history.h"
#include "builder/input/context.h"
#include "builder/lint/lintfile.h"
#include "builder/origin.h"
#include "builder/plan/dferr.h"
#include "builder/plan/hints.h"
#include "builder/plan/scope.h"
#include "builder/state.h"
#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/image.h"
#include "store/oci/oci.h"
#include "store/reference.h"
#include "store/snapshot.h"
#include "store/transport/transfer.h"

/* --- images ------------------------------------------------------------------------------ */

/* One pull of several that may go on. */
struct fetch {
	struct job *j;
	unsigned number; /* of its status */
};

static void show_transfer(void *ctx, const struct transfer_event *t)
{
	const struct fetch *f = ctx;
	char hex[DIGEST_HEX];
	auto_free char *text = NULL;
	struct event e = {
		.kind = EVENT_TRANSFER, .step = f->number, .done = t->done, .total = t->total};

	if (t->kind == TRANSFER_RETRY) {
		e.kind = EVENT_WARNING;
		e.text = t->text ? t->text : "trying again";
	} else {
		text = mem_strndup(sha256_hex(&t->digest, hex), 12);
		e.text = text;
		if (t->kind == TRANSFER_BLOB_DONE || t->kind == TRANSFER_BLOB_EXISTS)
			e.done = e.total;
	}
	events_emit(&f->j->session.events, &e);
}

/* name: a reference, or a transport's "oci:DIR[:NAME]", whose image gets no name in the store. */
static int base_pull(struct job *j, const char *name, const struct oci_platform *platform,
	struct image *out, struct err **err)
{
	bool local = transfer_is_local(name);
	auto_reference struct reference ref = {0};
	struct digest manifest;
	struct fetch f = {.j = j, .number = events_number(&j->session.events)};
	struct transfer_opts t = {
		.platform = platform,
		.authfile = j->session.o->authfile,
		.cert_dir = j->session.o->cert_dir,
		.allow_private = j->session.o->allow_private,
		.tls_verify = j->session.o->tls_verify,
		.retries = j->session.o->retries,
		.retry_delay_ms = j->session.o->retry_delay_ms,
		.packing.c = LAYER_GZIP,
		.event = show_transfer,
		.ctx = &f,
		.cancelled = stop_flag(&j->session.stop),
	};

	if (!local && j->session.o->pull == BUILD_PULL_NEVER) {
		auto_free char *shown = fs_printable(name);
		err_set(err, ERR_NOT_FOUND,
			"%s is not in the store, and --pull=never forbids to ask for it", shown);
		hints_near_context(&j->contexts.names, name, err);
		return err_hint(err, "bld pull %s", shown);
	}
	if (!local && reference_parse(name, &ref, err) < 0)
		return -1;
	creds_apply(&j->session.o->creds, &j->plan, name, &t);
	auto_free char *full = local ? mem_strdup(name) : reference_text(&ref);
	auto_free char *text = mem_printf("%s %s", local ? "reading" : "pulling", full);
	events_emit(&j->session.events,
		&(struct event){.kind = EVENT_STATUS, .step = f.number, .text = text});
	int r = transfer_pull(j->session.s, full, local ? "" : NULL, &t, &manifest, err);
	events_emit(
		&j->session.events, &(struct event){.kind = EVENT_STATUS_END, .step = f.number});
	if (r < 0)
		return -1;
	return image_open_manifest(j->session.s, &manifest, out, err);
}

static void base_warn_platform(struct job *j, const char *name, const struct oci_platform *want,
	const struct oci_platform *have)
{
	auto_free char *w = oci_platform_text(want);
	auto_free char *h = oci_platform_text(have);
	auto_free char *text = mem_printf("%s is for %s, not for %s", name, h, w);

	events_warn(&j->session.events, text);
}

static void state_of_image(const struct image *img, struct state *out)
{
	state_init(out);
	oci_config_copy(&out->config, &img->config);
	oci_config_repair_history(&out->config);
	out->nbase = img->config.ndiff_ids;
	out->nbase_history = out->config.nhistory;
	out->base_layers = mem_alloc((out->nbase + 1) * sizeof *out->base_layers);
	for (size_t i = 0; i < out->nbase; i++)
		oci_descriptor_copy(&out->base_layers[i], &img->manifest.layers[i]);
	out->base_digest = img->manifest_digest;
}

/* For org.opencontainers.image.base.name. An image that was found by its digest alone has none. */
static char *full_name(const char *name)
{
	auto_reference struct reference r = {0};

	if (strncmp(name, "sha256:", 7) == 0 || reference_parse(name, &r, NULL) < 0)
		return NULL;
	return reference_text(&r);
}

/* A layer that was dropped because it was damaged is pulled again with its image. */
static int has_layers(struct job *j, const struct oci_config *c, struct err **err)
{
	int have = 1;

	for (size_t i = 0; i < c->ndiff_ids && have == 1; i++)
		have = snapshot_exists(j->session.s, &c->diff_ids[i], err);
	return have;
}

/* 1 the store has it, whole and for this platform; 0 not; *other: the platform it has it for
 * instead, owned; -1. */
static int find_in_store(struct job *j, const char *name, const struct oci_platform *want,
	struct image *out, char **other, struct err **err)
{
	auto_err struct err *missing = NULL;

	if (j->session.o->pull == BUILD_PULL_ALWAYS || transfer_is_local(name))
		return 0;
	if (image_open(j->session.s, name, want, out, &missing) < 0)
		return err_is_verdict(missing) ? 0 : err_pass(err, &missing);
	bool fits = oci_platform_rank(want, &out->config.platform) > 0 ||
		    !out->config.platform.architecture;
	int have = fits ? has_layers(j, &out->config, err) : 0;
	if (have == 1)
		return 1;
	if (!fits)
		*other = oci_platform_text(&out->config.platform);
	image_clear(out);
	return have;
}

/* --pull=newer: *img becomes what the registry has now, where it can be asked. What was found by an
 * ID or digest cannot become newer. */
static int renew(struct job *j, const char *name, const struct oci_platform *want,
	struct image *img, struct err **err)
{
	auto_reference struct reference ref = {0};
	auto_err struct err *why = NULL;
	struct image now = {0};

	if (j->session.o->pull != BUILD_PULL_NEWER || !img->name ||
		reference_parse(name, &ref, NULL) < 0 || ref.has_digest)
		return 0;
	if (base_pull(j, name, want, &now, &why) == 0) {
		image_clear(img);
		*img = now;
		return 0;
	}
	enum err_kind kind = err_get_kind(why);
	if (kind != ERR_NET && kind != ERR_AUTH && kind != ERR_NOT_FOUND)
		return err_pass(err, &why);
	auto_free char *text =
		mem_printf("%s: the one in the store is taken: %s", name, err_text(why));
	events_warn(&j->session.events, text);
	return 0;
}

static int base_open_image(struct job *j, const char *name, const struct oci_platform *want,
	struct state *out, struct err **err)
{
	auto_image struct image img = {0};
	auto_free char *other = NULL;

	int have = find_in_store(j, name, want, &img, &other, err);
	if (have < 0)
		return -1;
	if (have && renew(j, name, want, &img, err) < 0)
		return -1;
	if (!have && base_pull(j, name, want, &img, err) < 0)
		return other ? err_prefix(err, "the store has %s for %s only", name, other) : -1;
	if (img.config.ndiff_ids != img.manifest.nlayers)
		return err_set(err, ERR_CORRUPT,
			"%s: %zu layers in the manifest, %zu in the configuration", name,
			img.manifest.nlayers, img.config.ndiff_ids);
	state_of_image(&img, out);
	out->base_name = img.name ? mem_strdup(img.name) : full_name(name);
	if (!out->config.platform.os)
		oci_platform_copy(&out->config.platform, want);
	cachekey_base(out, &out->key);
	return 0;
}

int base_image(struct job *j, const char *name, const struct oci_platform *platform,
	struct state *out, struct err **err)
{
	const struct oci_platform *want = platform ? platform : &j->session.platform;

	if (base_open_image(j, name, want, out, err) < 0)
		return -1;
	if (out->config.platform.architecture &&
		oci_platform_rank(want, &out->config.platform) == 0)
		base_warn_platform(j, name, want, &out->config.platform);
	return 0;
}

/* --- FROM --------------------------------------------------------------------------------- */

static void from_scratch(struct job *j, struct state *out, const struct oci_platform *platform)
{
	state_init(out);
	oci_platform_copy(&out->config.platform, platform ? platform : &j->session.platform);
}

static int from_context(struct job *j, const struct plan_stage *ps,
	const struct oci_platform *platform, struct state *out, struct err **err)
{
	struct fetchenv e = fetchenv_of(&j->session);
	const struct context *c = context_use(&j->contexts, ps->base_name, &e, err);
	struct origin_layer l = {0};

	if (!c)
		return -1;
	if (context_is_scratch(c)) {
		from_scratch(j, out, platform);
		return 0;
	}
	if (c->image)
		return base_image(j, c->image, platform, out, err);
	struct copy_root root = context_root(c);
	if (origin_make_layer(j, &root, "/", &l, err) < 0)
		return -1;
	free(l.inner);
	from_scratch(j, out, platform);
	auto_free char *text = mem_printf("FROM %s (a build context)", ps->base_name);
	commit_to_state(out, &l.record, &l.content, text);
	return 0;
}

/* FROM --reset: variables that came as ENV go too, those of ARG stay. */
static void reset_env(struct state *st)
{
	for (size_t i = 0; i < st->config.env.n; i++) {
		auto_free char *name =
			mem_strndup(st->config.env.v[i], strcspn(st->config.env.v[i], "="));
		scope_unset(&st->scope, name);
	}
	strlist_clear(&st->config.env);
	state_default_path(st);
	state_inherit_env(st);
}

static void reset(struct state *st, unsigned what)
{
	if (what & AST_RESET_ENV)
		reset_env(st);
	if (what & AST_RESET_LABELS)
		strlist_clear(&st->config.labels);
	if (what & AST_RESET_VOLUMES)
		strlist_clear(&st->config.volumes);
	if (what & AST_RESET_EXPOSE)
		strlist_clear(&st->config.exposed_ports);
}

/* What a child starts with, whatever it starts from (S6, S8, S16, S17: triggers are taken by the
 * caller). */
static void start_stage(struct job *j, struct state *st)
{
	if (j->session.o->drop_base_labels)
		strlist_clear(&st->config.labels);
	state_default_path(st);
	state_inherit_env(st);
	st->cmd_set = false;
	cachekey_base(st, &st->key);
}

/* The error of an image points at its FROM line. */
static int at_from(struct job *j, const struct plan_stage *ps, struct err **err)
{
	if (ps->base == PLAN_IMAGE)
		hints_near_context(&j->contexts.names, ps->base_name, err);
	dferr_locate(err, j->df, ps->ast->from->from.image.span);
	return hints_add(&j->plan.globals, j->df, ps->ast->from, err);
}

int base_triggers(struct job *j, size_t index, struct strlist *out, struct err **err)
{
	const struct plan_stage *ps = &j->plan.stages[index];
	auto_oci_platform struct oci_platform platform = {0};
	const char *name = ps->base == PLAN_IMAGE ? ps->base_name : NULL;
	struct state st;

	if (ps->platform && oci_platform_parse(ps->platform, &platform, err) < 0)
		return -1;
	if (ps->base == PLAN_CONTEXT) {
		struct fetchenv e = fetchenv_of(&j->session);
		const struct context *c = context_use(&j->contexts, ps->base_name, &e, err);
		if (!c)
			return at_from(j, ps, err);
		name = context_is_scratch(c) ? NULL : c->image;
	}
	if (!name)
		return 0;
	if (base_open_image(j, name, ps->platform ? &platform : &j->session.platform, &st, err) < 0)
		return at_from(j, ps, err);
	strlist_copy(out, &st.config.onbuild);
	state_clear(&st);
	return 0;
}

static int open_base(struct job *j, size_t index, struct state *out, struct err **err)
{
	const struct plan_stage *ps = &j->plan.stages[index];
	auto_oci_platform struct oci_platform platform = {0};
	int r = 0;

	if (ps->platform && oci_platform_parse(ps->platform, &platform, err) < 0)
		return -1;
	const struct oci_platform *want = ps->platform ? &platform : NULL;
	switch (ps->base) {
	case PLAN_SCRATCH:
		from_scratch(j, out, want);
		break;
	case PLAN_STAGE:
		/* The parent's variables and key go on: its env and user are part of what ran
		 * before. */
		if (!budget_take(&j->session.budget, state_cost(&j->stages[ps->base_stage])))
			return dferr_at(err, ERR_LIMIT, j->df, ps->ast->from->from.image.span, NULL,
				"the stages of this build inherit more than %u MiB of text",
				(unsigned)(BUDGET_TEXT_MAX >> 20));
		state_copy(out, &j->stages[ps->base_stage]);
		out->scope.budget = &j->session.budget;
		out->cmd_set = false;
		if (j->session.o->drop_base_labels)
			strlist_clear(&out->config.labels);
		reset(out, ps->ast->from->from.reset);
		return 0;
	case PLAN_CONTEXT:
		r = from_context(j, ps, want, out, err);
		break;
	case PLAN_IMAGE:
		want = want ? want : &j->session.platform;
		r = base_open_image(j, ps->base_name, want, out, err);
		if (r == 0)
			lintfile_base_take(&j->bases[index], &out->config, want);
		break;
	}
	if (r < 0)
		return at_from(j, ps, err);
	reset(out, ps->ast->from->from.reset);
	start_stage(j, out);
	out->scope.budget = &j->session.budget;
	return 0;
}

/* --env: an ENV in front of the stage's own lines. */
static int add_env(struct job *j, const struct plan_stage *ps, struct state *st, struct err **err)
{
	const struct strlist *env = &j->session.o->env;
	auto_buf struct buf text = {0};

	if (!env->n)
		return 0;
	buf_init(&text, BUF_TEXT_MAX);
	buf_adds(&text, "ENV");
	for (size_t i = 0; i < env->n; i++) {
		const char *value;
		auto_free char *name = strlist_split_kv(env->v[i], &value);

		if (!budget_take(&j->session.budget, 3 * strlen(env->v[i]) + BUDGET_ENTRY))
			return dferr_at(err, ERR_LIMIT, j->df, ps->ast->from->from.image.span, NULL,
				"the variables of --env become more than %u MiB of text",
				(unsigned)(BUDGET_TEXT_MAX >> 20));
		strlist_set_kv(&st->config.env, name, value);
		scope_set(&st->scope, name, value);
		buf_addf(&text, " %s", env->v[i]);
	}
	history_add(st, text.data, true, HISTORY_NO_TIME);
	return 0;
}

int base_open(struct job *j, size_t index, struct state *out, struct err **err)
{
	if (open_base(j, index, out, err) < 0)
		return -1;
	return add_env(j, &j->plan.stages[index], out, err);
}
