// SPDX-License-Identifier: Apache-2.0
/*
 * The linter within a build: before it only what is certain and could end it, after it all, since
 * bases are known then. A build that failed for another reason keeps its error.
 */
#include "builder/lint/lintjob.h"

#include "builder/lint/lintfile.h"
#include "parser/lint.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

static struct lint_result *lintjob_run(const struct job *j, bool certain)
{
	auto_free bool *needed = mem_alloc((j->plan.nstages + 1) * sizeof *needed);
	struct lintfile f = {
		.df = j->df,
		.contexts = &j->contexts,
		.build_args = &j->session.build_args,
		.platform = &j->session.platform,
		.needed = needed,
		.bases = j->bases,
		.certain = certain,
	};

	for (size_t i = 0; i < j->plan.nstages; i++)
		needed[i] = j->plan.stages[i].needed;
	return lintfile_run(&f);
}

int lintjob_before(struct job *j, struct err **err)
{
	/* Most builds have nothing that could end them here. */
	if (!j->df->check.text.ptr && !strlist_get_kv(&j->session.build_args, LINTFILE_ARG))
		return 0;
	struct lint_result *r = lintjob_run(j, true);
	int status = lintfile_check_config(r, err);

	if (status == 0)
		status = lintfile_check_errors(r, err);
	lint_free(r);
	return status;
}

static void lintjob_to_buf(void *ctx, struct slice bytes)
{
	buf_add(ctx, bytes.ptr, bytes.len);
}

static void lintjob_emit(struct job *j, const struct lint_result *r)
{
	for (size_t i = 0; i < r->count; i++) {
		auto_buf struct buf b = {0};

		buf_init(&b, BUF_TEXT_MAX);
		lint_render_finding(r, i, lintjob_to_buf, &b);
		events_warn(&j->session.events, b.data);
	}
	if (!r->found)
		return;
	auto_free char *text =
		mem_printf("%zu warning%s found", r->found, r->found == 1 ? "" : "s");
	events_warn(&j->session.events, text);
}

int lintjob_after(struct job *j, struct err **err)
{
	/* Of a build that failed, bases may not have been looked at. */
	struct lint_result *r = lintjob_run(j, !err);
	int status = err ? lintfile_check_errors(r, err) : 0;

	if (status == 0)
		lintjob_emit(j, r);
	lint_free(r);
	return status;
}
