// SPDX-License-Identifier: Apache-2.0
#include "builder/job.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "store/base/mem.h"

#define JOB_TEXT_MAX 400 /* bytes of an instruction shown in progress */
#define JOB_PAUSE_NS 20000000

int job_check(const struct job *j, struct err **err)
{
	int sig = j->o->cancelled ? *j->o->cancelled : 0;

	if (!sig)
		return 0;
	return err_set(
		err, ERR_CANCELLED, "stopped by %s", sig == SIGTERM ? "SIGTERM" : "an interrupt");
}

int job_wait(const struct job *j, bool *told, const char *why, struct err **err)
{
	const struct timespec pause = {.tv_nsec = JOB_PAUSE_NS};

	if (!*told)
		job_emit(j, &(struct event){.kind = EVENT_STATUS, .text = why});
	*told = true;
	if (job_check(j, err) < 0)
		return -1;
	nanosleep(&pause, NULL);
	return 0;
}

void job_emit(const struct job *j, const struct event *e)
{
	if (j->o->emit)
		j->o->emit(j->o->emit_ctx, e);
}

char *job_step_text(const struct step *sp)
{
	struct slice t = sp->ins->text;
	size_t len = t.len > JOB_TEXT_MAX ? JOB_TEXT_MAX : t.len;
	char *text = mem_strndup(t.ptr, len);

	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	return text;
}

const char *job_stage_title(const struct job *j, size_t stage)
{
	size_t needed = 0;

	for (size_t i = 0; i < j->plan.nstages; i++)
		needed += j->plan.stages[i].needed;
	return needed > 1 ? j->plan.stages[stage].title : NULL;
}
