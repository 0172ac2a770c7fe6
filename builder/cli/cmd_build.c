// SPDX-License-Identifier: Apache-2.0
/* bld build: options (buildopts.c) -> the build -> its results (buildresult.c). */
#include "builder/cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "builder/build.h"
#include "builder/cli/askpass.h"
#include "builder/cli/buildcompat.h"
#include "builder/cli/buildopts.h"
#include "builder/cli/buildoutputs.h"
#include "builder/cli/buildresult.h"
#include "builder/cli/check.h"
#include "builder/cli/cmd_manifest.h"
#include "builder/cli/remote.h"
#include "builder/image/result.h"
#include "builder/log/buildlog.h"
#include "builder/options.h"
#include "builder/targets.h"
#include "builder/ui/ui.h"
#include "store/base/mem.h"
#include "store/store.h"

static const char details[] =
	"CONTEXT is a directory, \"-\" for a tar archive on standard input, the URL of\n"
	"an archive, or a git repository (https://HOST/REPO.git#REF:DIR).\n"
	"\n"
	"RUN uses the network of this machine unless --network=none is given.\n"
	"\n"
	"Examples:\n"
	"  bld build -t app .\n"
	"  bld build -t 127.0.0.1:5000/app --push -f build/Dockerfile .\n"
	"  bld build -o out --target bin .\n"
	"  tar c src Dockerfile | bld build -t app -\n";

/* What was built, for the list of logs. */
static char *title_of(const struct build_opts *b)
{
	const struct build_target *t = targets_main(b);

	if (t->tags.n)
		return mem_strdup(t->tags.v[0]);
	return mem_printf("%s%s%s", b->context, t->stage ? " " : "", t->stage ? t->stage : "");
}

/* The last line of a build of which a step failed. */
static void tell_log(const struct buildlog *l, struct err **err)
{
	unsigned step;
	const char *id = buildlog_id(l, &step);

	if (id && step && err && *err)
		err_note(err, "complete output of the step: bld logs %s %u", id, step);
}

static int build(const struct cli *c, struct build_opts *b, struct ui *ui,
	const struct buildresult *result, struct err **err)
{
	auto_store struct store *s = store_open(c->root, err);
	auto_free char *title = title_of(b);
	auto_buildlog struct buildlog *log = NULL;
	struct build_results r = {0};

	if (!s || (result->o->manifest && cmd_manifest_check(s, result->o->manifest, err) < 0))
		return -1;
	log = buildlog_new(s, title, ui_event, ui);
	b->emit = buildlog_event;
	b->emit_ctx = log;
	int status = build_run(b, s, &r, err);
	buildlog_end(log, status < 0 && err && *err ? err_text(*err) : NULL);
	if (status < 0) {
		tell_log(log, err);
		return -1;
	}
	const struct build_result *last = &r.v[r.n - 1];
	if (result->o->manifest)
		status = cmd_manifest_take(s, result->o->manifest, &last->manifest, last->index,
			b->docker_format, err);
	if (status == 0)
		status = buildresult_deliver(result, s, ui, &r, err);
	result_clear_all(&r);
	return status;
}

static int cmd_build_prepare(const struct cli *c, struct buildopts *o, const char *context,
	struct buildresult *result, struct err **err)
{
	if (remote_retries(&o->remote, err) < 0 || buildopts_settle(c, o, context, err) < 0 ||
		remote_compression(&o->remote, err) < 0 || buildresult_open(result, c, o, err) < 0)
		return -1;
	result->b = &o->build;
	return 0;
}

/* --creds; asked for when it is known that there is something to build. */
struct given {
	char *user, *password, *host; /* owned */
};

static void given_clear(struct given *g)
{
	if (g->password)
		explicit_bzero(g->password, strlen(g->password));
	free(g->user);
	free(g->password);
	free(g->host);
}
#define auto_given CLEANUP(given_clear)

static int take_creds(const struct cli *c, const struct buildopts *o,
	const struct buildresult *result, struct given *g, struct build_opts *b, struct err **err)
{
	if (!o->creds)
		return 0;
	if (askpass_creds(c, o->creds, &g->user, &g->password, err) < 0)
		return -1;
	g->host = buildoutputs_registry(&result->outputs, o, &targets_main(b)->tags);
	b->creds = (struct creds){.user = g->user, .password = g->password, .host = g->host};
	return 0;
}

/* --check: no file of results is touched. */
static int cmd_build_look(const struct cli *c, struct buildopts *o, const char *context,
	struct check *k, struct err **err)
{
	if (buildopts_settle(c, o, context, err) < 0)
		return -1;
	k->build = &o->build;
	return check_run(c, k, err);
}

static int cmd_build_do(
	const struct cli *c, struct buildopts *o, const char *context, struct err **err)
{
	auto_ui struct ui *ui = NULL;
	struct strlist names = {0};
	struct buildresult result = {0};
	auto_given struct given g = {0};
	int status = cmd_build_prepare(c, o, context, &result, err);

	if (status == 0)
		status = take_creds(c, o, &result, &g, &o->build, err);
	if (status == 0) {
		ui = remote_ui(&o->remote);
		struct strlist *tags = &o->build.targets[o->build.ntargets - 1].tags;
		buildoutputs_names(&result.outputs, tags, &names);
		strlist_clear(tags);
		*tags = names;
		status = build(c, &o->build, ui, &result, err);
		ui_finish(ui);
	}
	buildresult_clear(&result);
	return status;
}

static int cmd_build_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct buildopts *o = opts;
	struct check k = {0};
	int status = buildcompat_check(o, err) < 0 ? -1 : check_call(o->check, o->call, &k, err);

	if (status > 0)
		status = cmd_build_look(c, o, operands->v[0], &k, err);
	else if (status == 0)
		status = cmd_build_do(c, o, operands->v[0], err);
	options_clear(&o->build);
	return status;
}

const struct cli_command cli_build = {
	.name = "build",
	.alias = "bud",
	.operands = "CONTEXT",
	.summary = "Build an image from a Dockerfile",
	.details = details,
	.options = buildopts_table,
	.opts_size = sizeof(struct buildopts),
	.min_operands = 1,
	.max_operands = 1,
	.missing = "\"bld build .\" builds the current directory",
	.run = cmd_build_run,
};
