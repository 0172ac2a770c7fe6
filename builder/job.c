// SPDX-License-Identifier: Apache-2.0
#include "builder/job.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "builder/explain/explain.h"
#include "builder/origin.h"
#include "builder/secrets/urlshown.h"
#include "store/base/mem.h"

#define JOB_TEXT_MAX 400 /* bytes of an instruction shown in progress */
#define JOB_PAUSE_NS 20000000

void job_init(struct job *j, const struct build_opts *o, struct store *s)
{
	pthread_condattr_t attr;

	*j = (struct job){.o = o, .s = s, .contexts = {.main = {.dir_fd = -1}}};
	j->origins = origin_cache_new();
	j->explain = explain_new();
	pthread_mutex_init(&j->emitting, NULL);
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void job_clear(struct job *j)
{
	sandbox_runner_free(j->runner);
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
	origin_cache_free(j->origins);
	explain_free(j->explain);
	plan_clear(&j->plan);
	dockerfile_free(j->df);
	context_close(&j->contexts);
	secrets_clear(&j->secrets);
	sshagent_clear(&j->agents);
	oci_platform_clear(&j->platform);
	strlist_clear(&j->build_args);
	strlist_clear(&j->used_args);
	strlist_clear(&j->begun_mounts);
	pthread_cond_destroy(&j->changed);
	pthread_mutex_destroy(&j->lock);
	pthread_mutex_destroy(&j->emitting);
}

bool job_no_cache(const struct job *j, size_t stage)
{
	return j->o->no_cache || j->o->no_layers || j->plan.stages[stage].renewed;
}

bool job_fresh_mounts(const struct job *j, size_t stage)
{
	return j->o->no_cache || j->plan.stages[stage].renewed;
}

const atomic_int *job_cancelled(const struct job *j)
{
	return j->parallel ? &j->stop : j->o->cancelled;
}

struct sandbox_runner *job_runner(struct job *j, struct err **err)
{
	pthread_mutex_lock(&j->lock);
	if (!j->runner)
		j->runner = sandbox_runner_new(err);
	struct sandbox_runner *r = j->runner;
	pthread_mutex_unlock(&j->lock);
	return r;
}

unsigned job_nsteps(struct job *j)
{
	pthread_mutex_lock(&j->lock);
	unsigned n = j->nsteps;
	pthread_mutex_unlock(&j->lock);
	return n;
}

unsigned job_number(struct job *j)
{
	pthread_mutex_lock(&j->lock);
	unsigned n = ++j->nstatuses;
	pthread_mutex_unlock(&j->lock);
	return n;
}

void job_use_arg(struct job *j, const char *name)
{
	pthread_mutex_lock(&j->lock);
	strlist_add_once(&j->used_args, name);
	pthread_mutex_unlock(&j->lock);
}

bool job_ended(const struct job *j)
{
	return job_stop_get(j) == JOB_STOP_FAILURE && !cancel_asked(j->o->cancelled);
}

void job_stop(struct job *j)
{
	pthread_mutex_lock(&j->lock);
	if (!job_stop_get(j))
		job_stop_set(j, JOB_STOP_FAILURE);
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
}

int job_check(const struct job *j, struct err **err)
{
	int sig = cancel_asked(j->o->cancelled);

	if (sig)
		return err_set(err, ERR_CANCELLED, "stopped by %s",
			sig == SIGTERM ? "SIGTERM" : "an interrupt");
	if (job_stop_get(j))
		return err_set(err, ERR_CANCELLED, "another stage failed");
	return 0;
}

int job_wait(struct job *j, bool *told, const char *why, struct err **err)
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

void job_emit(struct job *j, const struct event *e)
{
	if (!j->o->emit)
		return;
	pthread_mutex_lock(&j->emitting);
	j->o->emit(j->o->emit_ctx, e);
	pthread_mutex_unlock(&j->emitting);
}

char *job_step_text(const struct step *sp)
{
	/* Of the whole text: a secret that is cut is hard to see. */
	auto_free char *whole = urlshown(sp->ins->text);
	char *text = mem_strndup(whole, strnlen(whole, JOB_TEXT_MAX));

	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	return text;
}

size_t job_needed(const struct job *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->plan.nstages; i++)
		n += j->plan.stages[i].needed;
	return n;
}

const char *job_stage_title(const struct job *j, size_t stage)
{
	return job_needed(j) > 1 ? j->plan.stages[stage].title : NULL;
}
