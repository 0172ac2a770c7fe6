// SPDX-License-Identifier: Apache-2.0
/* What the options and the plan say of a stage, put where its steps find it. */
#include "builder/job.h"

#include <stdlib.h>

#include "builder/lint/lintfile.h"
#include "parser/dockerfile.h"
#include "store/base/mem.h"

void job_init(struct job *j, const struct build_opts *o, struct store *s)
{
	*j = (struct job){.contexts = {.main = {.dir_fd = -1}}};
	session_init(&j->session, o, s);
}

void job_clear(struct job *j)
{
	for (size_t i = 0; j->progress && i < j->plan.nstages; i++) {
		if (j->stages[i].open)
			state_clear(&j->stages[i]);
		err_free(j->progress[i].err);
	}
	for (size_t i = 0; j->bases && i < j->plan.nstages; i++)
		lintfile_base_clear(&j->bases[i]);
	free(j->bases);
	free(j->stages);
	free(j->progress);
	plan_clear(&j->plan);
	dockerfile_free(j->df);
	context_close(&j->contexts);
	session_clear(&j->session);
}

static bool renewed(const struct job *j, size_t stage)
{
	return j->session.o->no_cache || j->plan.stages[stage].renewed;
}

bool job_no_cache(const struct job *j, size_t stage)
{
	return j->session.o->no_layers || renewed(j, stage);
}

size_t job_needed(const struct job *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->plan.nstages; i++)
		n += j->plan.stages[i].needed;
	return n;
}

/* The title of a stage for progress: NULL when one stage is needed only. */
static const char *job_stage_title(const struct job *j, size_t stage)
{
	return job_needed(j) > 1 ? j->plan.stages[stage].title : NULL;
}

struct step job_step(struct job *j, size_t stage, const struct dockerfile *df,
	const struct ast_instruction *ins, unsigned number)
{
	return (struct step){.df = df,
		.ins = ins,
		.st = &j->stages[stage],
		.stage = stage,
		.title = job_stage_title(j, stage),
		.number = number,
		.no_cache = job_no_cache(j, stage),
		.fresh_mounts = renewed(j, stage)};
}
