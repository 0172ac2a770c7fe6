// SPDX-License-Identifier: Apache-2.0
/*
 * The story of a build, top to bottom: read, plan, then stage after stage, instruction after
 * instruction, and write the image. Policy lives here (order, what is skipped, cancellation),
 * mechanism elsewhere.
 */
#include "builder/build.h"

#include <stdlib.h>
#include <string.h>

#include "builder/base.h"
#include "builder/explain/explain.h"
#include "builder/fetch/fetchenv.h"
#include "builder/image/epoch.h"
#include "builder/input/context.h"
#include "builder/job.h"
#include "builder/latefrom.h"
#include "builder/lint/lintfile.h"
#include "builder/lint/lintjob.h"
#include "builder/nocache.h"
#include "builder/origin.h"
#include "builder/plan/dferr.h"
#include "builder/plan/hints.h"
#include "builder/plan/plan.h"
#include "builder/plan/platformword.h"
#include "builder/plan/scope.h"
#include "builder/platforms.h"
#include "builder/run/runstep.h"
#include "builder/secrets/secrets.h"
#include "builder/secrets/sshagent.h"
#include "builder/stages.h"
#include "builder/state.h"
#include "builder/steps/copystep.h"
#include "builder/steps/dirstep.h"
#include "builder/steps/metadata.h"
#include "builder/targets.h"
#include "parser/dockerfile.h"
#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"

static int build_instruction(struct job *j, struct step *sp, struct err **err)
{
	if (stop_check(&j->session.stop, err) < 0)
		return -1;
	switch (sp->ins->keyword) {
	case AST_RUN:
		return runstep_run(j, sp, err);
	case AST_COPY:
	case AST_ADD:
		return copystep_copy(j, sp, err);
	case AST_WORKDIR:
		return dirstep_workdir(j, sp, err);
	case AST_ARG:
	case AST_CMD:
	case AST_ENTRYPOINT:
	case AST_ENV:
	case AST_EXPOSE:
	case AST_HEALTHCHECK:
	case AST_LABEL:
	case AST_MAINTAINER:
	case AST_ONBUILD:
	case AST_SHELL:
	case AST_STOPSIGNAL:
	case AST_USER:
	case AST_VOLUME:
		return metadata_apply(j, sp, err);
	case AST_FROM:
		break;
	}
	return dferr_at(err, ERR_SYNTAX, sp->df, sp->ins->span, NULL, "FROM cannot stand here");
}

/* One stage's instructions. The texts of triggers stay until the stage's last layer is written. */
struct stage_build {
	struct job *j;
	size_t stage;
	struct dockerfile **texts; /* owned */
	size_t ntexts;
};

static int build_run_step(struct stage_build *c, const struct dockerfile *df,
	const struct ast_instruction *ins, unsigned number, struct err **err)
{
	struct step sp = job_step(c->j, c->stage, df, ins, number);

	if (build_instruction(c->j, &sp, err) < 0)
		return hints_add(&sp.st->scope, df, ins, err);
	if (oci_config_check(&sp.st->config, err) < 0)
		return dferr_locate(err, df, ins->span);
	return 0;
}

/* Triggers of the base run in front of the stage's own lines and are not passed on (S17). */
static int build_triggers(
	struct stage_build *c, const struct strlist *triggers, unsigned number, struct err **err)
{
	int r = 0;

	c->texts = mem_array(triggers->n + 1, sizeof *c->texts);
	for (size_t i = 0; i < triggers->n && r == 0; i++) {
		struct dockerfile *df = latefrom_parse(triggers->v[i]);
		c->texts[c->ntexts++] = df;
		r = df->diags.errors
			    ? dferr_report(err, df)
			    : build_run_step(c, df, df->trigger, number + (unsigned)i, err);
	}
	return r;
}

static int build_steps(struct stage_build *c, struct err **err)
{
	const struct ast_stage *ast = c->j->plan.stages[c->stage].ast;
	struct state *st = &c->j->stages[c->stage];
	auto_strlist struct strlist triggers = st->config.onbuild;
	unsigned first_trigger, first_step;

	st->config.onbuild = (struct strlist){0};
	if (stages_number(c->j, c->stage, (unsigned)triggers.n, &first_trigger, &first_step, err) <
			0 ||
		build_triggers(c, &triggers, first_trigger, err) < 0)
		return -1;
	for (size_t i = 0; i < ast->body.count; i++)
		if (build_run_step(c, c->j->df, ast->body.items[i], first_step + (unsigned)i, err) <
			0)
			return -1;
	return 0;
}

/* What was begun is brought to its end also when a later step failed: the next build needs it. */
static int build_settle(struct job *j, size_t index, int r, struct err **err)
{
	struct err *late = NULL;

	if (state_settle(&j->stages[index], &late) == 0)
		return r;
	if (r < 0 && err && *err && err_get_kind(late) == ERR_CANCELLED) {
		err_free(late);
		return -1;
	}
	/* The earlier step. */
	if (err) {
		err_free(*err);
		*err = late;
	} else {
		err_free(late);
	}
	return -1;
}

static int build_stage(struct job *j, size_t index, struct err **err)
{
	struct stage_build c = {.j = j, .stage = index};

	if (base_open(j, index, &j->stages[index], err) < 0)
		return -1;
	explain_opened(j, index);
	int r = build_settle(j, index, build_steps(&c, err), err);
	for (size_t i = 0; i < c.ntexts; i++)
		dockerfile_free(c.texts[i]);
	free(c.texts);
	return r;
}

static void warn_unused_args(struct job *j)
{
	const struct strlist *args = &j->session.build_args;

	for (size_t i = 0; i < args->n; i++) {
		auto_free char *name = mem_strndup(args->v[i], strcspn(args->v[i], "="));
		if (strlist_has(&j->session.used_args, name) || scope_is_proxy(name) ||
			strlist_has(&j->plan.globals.args, name) ||
			strcmp(name, "SOURCE_DATE_EPOCH") == 0 || strcmp(name, LINTFILE_ARG) == 0)
			continue;
		auto_free char *text =
			mem_printf("--build-arg %s: no ARG of that name was used", name);
		events_warn(&j->session.events, text);
	}
}

/* Everything that is read before anything is done. */
static int build_read(struct job *j, struct err **err)
{
	const struct build_opts *o = j->session.o;
	struct context_opts c = {.dockerfile = o->dockerfile,
		.context = o->context,
		.ignorefile = o->ignorefile,
		.named = &o->contexts};

	if (platformword_parse(o->platform, true, &j->session.platform, err) < 0)
		return -1;
	if (secrets_load(&o->secrets, &j->session.secrets, err) < 0 ||
		sshagent_load(&o->ssh, j->session.s, &j->session.agents, err) < 0)
		return -1;
	if (!j->df) {
		struct fetchenv e = fetchenv_of(&j->session);
		if (context_open(&c, &e, &j->contexts, &j->df, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < j->contexts.notes.n; i++)
		events_warn(&j->session.events, j->contexts.notes.v[i]);
	epoch_arguments(j->df, &j->contexts.main, &o->build_args, &j->session.build_args);
	auto_free const char **targets = targets_stages(o);
	struct plan_opts p = {
		.targets = targets,
		.ntargets = o->ntargets,
		.first_from = o->first_from,
		.build_args = &j->session.build_args,
		.context_names = &j->contexts.names,
		.platform = &j->session.platform,
		.budget = &j->session.budget,
	};
	if (plan_make(j->df, &p, &j->plan, err) < 0 ||
		epoch_times(o, j->df, &j->plan, &j->session.build_args, &j->session.times, err) < 0)
		return -1;
	if (nocache_mark(j, err) < 0)
		return -1;
	if (lintjob_before(j, err) < 0 || platforms_check_runs(j, err) < 0 ||
		latefrom_find(j, err) < 0)
		return -1;
	return nocache_mark(j, err) < 0 ? -1 : platforms_check_runs(j, err);
}

static int build_all(struct job *j, struct build_results *out, struct err **err)
{
	if (build_read(j, err) < 0)
		return -1;
	events_add_steps(&j->session.events, j->plan.nsteps);
	j->stages = mem_alloc((j->plan.nstages + 1) * sizeof *j->stages);
	j->progress = mem_alloc((j->plan.nstages + 1) * sizeof *j->progress);
	j->bases = mem_alloc((j->plan.nstages + 1) * sizeof *j->bases);
	if (stages_build(j, build_stage, err) < 0) {
		if (err && err_get_kind(*err) != ERR_CANCELLED)
			lintjob_after(j, NULL);
		return -1;
	}
	warn_unused_args(j);
	if (lintjob_after(j, err) < 0)
		return -1;
	return targets_write(j, out, err);
}

static void build_begin_run(struct job *j, const struct build_opts *o, struct store *s)
{
	job_init(j, o, s);
	j->origins = origin_cache_new();
	j->explain = explain_new();
}

static void end(struct job *j)
{
	origin_cache_free(j->origins);
	explain_free(j->explain);
	job_clear(j);
}

/* What was read for the platform before is read no more. */
static void build_hand_over(struct job *from, struct job *to)
{
	to->contexts = from->contexts;
	to->df = from->df;
	from->contexts = (struct context_set){.main = {.dir_fd = -1}};
	from->df = NULL;
}

/* One image after the other, all targets of each. */
static int build_images(const struct build_opts *o, struct store *s,
	const struct strlist *platforms, struct build_results *images, struct err **err)
{
	auto_free struct build_target *targets = targets_unnamed(o);
	struct build_opts one = *o;
	struct job before, j;
	int r = 0;

	one.targets = targets;
	build_begin_run(&before, &one, s);
	for (size_t i = 0; i < platforms->n && r == 0; i++) {
		one.platform = platforms->v[i];
		build_begin_run(&j, &one, s);
		build_hand_over(&before, &j);
		r = build_all(&j, &images[i], err);
		if (r < 0 && j.plan.nstages && err && *err && !strchr(err_text(*err), '\n'))
			err_prefix(err, "%s", platforms->v[i]);
		explain_save(&j);
		build_hand_over(&j, &before);
		end(&j);
	}
	end(&before);
	return r;
}

static int build_platforms(const struct build_opts *o, struct store *s,
	const struct strlist *platforms, struct build_results *out, struct err **err)
{
	auto_free struct digest *manifests = mem_array(platforms->n, sizeof *manifests);
	struct build_results *images = mem_alloc(platforms->n * sizeof *images);
	struct build_results all = targets_results(o);
	int r = build_images(o, s, platforms, images, err);

	for (size_t t = 0; t < all.n && r == 0; t++) {
		for (size_t i = 0; i < platforms->n; i++)
			manifests[i] = images[i].v[t].manifest;
		all.v[t].times = images[0].v[t].times;
		r = platforms_write_index(
			o, s, &o->targets[t].tags, manifests, platforms->n, &all.v[t], err);
	}
	for (size_t i = 0; i < platforms->n; i++)
		result_clear_all(&images[i]);
	free(images);
	if (r == 0)
		*out = all;
	else
		result_clear_all(&all);
	return r;
}

int build_run(
	const struct build_opts *o, struct store *s, struct build_results *out, struct err **err)
{
	auto_strlist struct strlist platforms = {0};
	struct build_opts one = *o;
	struct job j;

	if (platforms_split(o->platform, &platforms, err) < 0)
		return -1;
	if (platforms.n > 1)
		return build_platforms(o, s, &platforms, out, err);
	one.platform = platforms.n ? platforms.v[0] : NULL;
	build_begin_run(&j, &one, s);
	int r = build_all(&j, out, err);
	explain_save(&j);
	end(&j);
	return r;
}
