// SPDX-License-Identifier: Apache-2.0
/*
 * "bld lint" and "build --check": the Dockerfile and its plan, looked at without building. A store
 * is opened only if there is one or bytes have to be put somewhere. What a build would refuse is
 * shown with the findings and decides the exit status.
 */
#include "builder/cli/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/image/epoch.h"
#include "builder/input/context.h"
#include "builder/input/contextspec.h"
#include "builder/lint/lintfile.h"
#include "builder/plan/dferr.h"
#include "builder/plan/plan.h"
#include "builder/plan/platformword.h"
#include "builder/platforms.h"
#include "builder/targets.h"
#include "parser/dockerfile.h"
#include "parser/lint.h"
#include "parser/words.h"
#include "store/base/mem.h"
#include "store/store.h"

/* All stages are looked at when no target is given; what is wrong with the plan is in *err. */
struct looked {
	struct context_set contexts;
	struct dockerfile *df;
	struct lint_result *result; /* NULL when the Dockerfile has errors */
};

static void to_stdout(void *ctx, struct slice bytes)
{
	(void)ctx;
	fwrite(bytes.ptr, 1, bytes.len, stdout);
}

/* "Dockerfile:3:6: error: text" of a rendered error; errors of the parser are not looked at here.
 * The text is borrowed from e. */
static struct diag diag_of(const struct dockerfile *df, const struct err *e)
{
	const char *text = err_text(e), *mark = strstr(text, ": error: ");
	struct diag d = {.severity = DIAG_ERROR, .rule = "build"};
	uint64_t line = 0, column = 0;
	const char *at = mark;

	if (!mark || !strchr(text, '\n')) {
		d.message = slice_sub(slice_of(text), 0, strcspn(text, "\n"));
		return d;
	}
	for (int colons = 0; at > text; at--)
		if (at[-1] == ':' && ++colons == 2)
			break;
	size_t digits = strcspn(at, ":");
	if (words_number((struct slice){at, digits}, 10, df->source.nlines, &line) && line &&
		words_number((struct slice){at + digits + 1, (size_t)(mark - at) - digits - 1}, 10,
			DOCKERFILE_SIZE_MAX, &column))
		d.span.off = df->source.line_start[line - 1] + (column ? column - 1 : 0);
	d.message = slice_of(mark + strlen(": error: "));
	d.message.len = strcspn(d.message.ptr, "\n");
	return d;
}

static void check_print_json(const struct looked *l, const struct diag *error)
{
	lint_render_json(l->df, l->result, error, to_stdout, NULL);
}

static void print_sarif(const struct looked *l, const struct diag *errors, size_t n)
{
	struct lint_sarif s = {
		.df = l->df,
		.result = l->result,
		.errors = errors,
		.nerrors = n,
		.uri = l->df->source.name,
		.version = SLICE(BLD_VERSION),
	};

	lint_render_sarif(&s, to_stdout, NULL);
}

static void check_print_text(const struct lint_result *r, bool complete)
{
	lint_render_text(r, to_stdout, NULL);
	if (!complete)
		return;
	if (r->found)
		printf("check complete, %zu warning%s found\n", r->found, r->found == 1 ? "" : "s");
	else
		printf("check complete, no warnings found\n");
}

/* Errors of the parser: all of them for SARIF, the first for JSON, which has room for one. */
static int print_broken(const struct looked *l, const char *format, struct err **err)
{
	const struct diag_list *list = &l->df->diags;
	auto_free struct diag *errors = mem_array(list->count + 1, sizeof *errors);
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].severity == DIAG_ERROR)
			errors[n++] = list->items[i];
	if (strcmp(format, "json") == 0)
		check_print_json(l, n ? &errors[0] : NULL);
	else if (strcmp(format, "sarif") == 0)
		print_sarif(l, errors, n);
	return dferr_report(err, l->df);
}

static int violated(const struct lint_result *r, struct err **err)
{
	if (!r->errors)
		return 0;
	err_set(err, ERR_SYNTAX, "%zu finding%s where \"check=error=true\" is in force", r->errors,
		r->errors == 1 ? "" : "s");
	return -1;
}

/* What a build would refuse comes before findings that are errors. */
static int check_print(
	const struct looked *l, const char *format, struct err *refused, struct err **err)
{
	struct diag d = {0};

	if (refused)
		d = diag_of(l->df, refused);
	if (strcmp(format, "json") == 0)
		check_print_json(l, refused ? &d : NULL);
	else if (strcmp(format, "sarif") == 0)
		print_sarif(l, &d, refused ? 1 : 0);
	else
		check_print_text(l->result, !refused);
	if (!refused)
		return violated(l->result, err);
	*err = refused;
	return -1;
}

static int check_look(struct looked *l, const struct check *k, struct store *s, const char *format,
	struct err **err)
{
	const struct build_opts *b = k->build;
	auto_strlist struct strlist platforms = {0}, args = {0};
	auto_oci_platform struct oci_platform platform = {0};
	auto_plan struct plan plan = {0};
	auto_free bool *needed = NULL;
	struct err *refused = NULL;
	struct budget budget = {0};

	/* Of several platforms the first stands for all. */
	if (platforms_split(b->platform, &platforms, err) < 0 ||
		platformword_parse(platforms.n ? platforms.v[0] : NULL, true, &platform, err) < 0)
		return -1;
	epoch_arguments(l->df, &l->contexts.main, &b->build_args, &args);
	auto_free const char **targets = targets_stages(b);
	const char *stage = targets_main(b)->stage;
	struct plan_opts p = {
		.targets = targets,
		.ntargets = b->ntargets,
		.first_from = b->first_from,
		.build_args = &args,
		.context_names = &l->contexts.names,
		.platform = &platform,
		.budget = &budget,
	};
	struct lintfile f = {
		.df = l->df,
		.contexts = &l->contexts,
		.build_args = &args,
		.platform = &platform,
		.s = s,
		.portable = k->portable,
	};
	struct build_times times;
	if (plan_make(l->df, &p, &plan, &refused) < 0 ||
		epoch_times(b, l->df, &plan, &args, &times, &refused) < 0) {
		if (err_get_kind(refused) == ERR_USAGE) {
			*err = refused;
			return -1;
		}
	} else if (stage && *stage) {
		f.needed = needed = mem_array(plan.nstages + 1, sizeof *needed);
		for (size_t i = 0; i < plan.nstages; i++)
			needed[i] = plan.stages[i].needed;
	}
	l->result = lintfile_run(&f);
	if (!refused)
		lintfile_check_config(l->result, &refused);
	return check_print(l, format, refused, err);
}

int check_call(bool flag, const char *call, struct check *k, struct err **err)
{
	const char *format = NULL;

	if (!call)
		call = "build";
	if (strncmp(call, "check,format=", 13) == 0)
		format = call + 13;
	if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0 &&
		strcmp(format, "sarif") != 0)
		return err_set(err, ERR_USAGE, "--call: the format is one of %s", CHECK_FORMATS);
	if (!format && strcmp(call, "check") != 0 && strcmp(call, "build") != 0) {
		err_set(err, ERR_USAGE, "--call: \"%s\" is not known", call);
		return err_hint(err, "build, or check[,format=%s]", CHECK_FORMATS);
	}
	k->format = format;
	return flag || format || strcmp(call, "check") == 0;
}

int check_run(const struct cli *c, const struct check *k, struct err **err)
{
	const struct build_opts *b = k->build;
	const char *format = k->format ? k->format : "text";
	CLEANUP(contextspec_clear) struct contextspec spec = {0};
	auto_store struct store *s = NULL;
	struct looked l = {.contexts = {.main = {.dir_fd = -1}}};
	struct context_opts o = {
		.dockerfile = b->dockerfile,
		.context = b->context,
		.ignorefile = b->ignorefile,
		.named = &b->contexts,
		.any_text = true,
	};
	int status;

	if (b->context && contextspec_parse(b->context, false, &spec, err) < 0)
		return -1;
	/* Nothing is made for a look, but what comes as bytes has to be put somewhere. */
	bool spool = spec.kind != CONTEXTSPEC_DIR;
	if (spool || store_exists(c->root)) {
		s = store_open(c->root, spool ? err : NULL);
		if (!s && spool)
			return -1;
	}
	struct fetchenv e = {.s = s, .proxies = &b->proxy_env, .cancelled = b->cancelled};
	if (context_open(&o, &e, &l.contexts, &l.df, err) < 0)
		return -1;
	if (l.df->diags.errors)
		status = print_broken(&l, format, err);
	else
		status = check_look(&l, k, s, format, err);
	lint_free(l.result);
	dockerfile_free(l.df);
	context_close(&l.contexts);
	return status;
}
