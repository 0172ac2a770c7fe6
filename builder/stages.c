// SPDX-License-Identifier: Apache-2.0
/*
 * The calling thread starts threads, and looks for a signal while they work: signals are for it
 * only, the others have them blocked but for SIGURG, with which it wakes them.
 */
#include "builder/stages.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cpus.h"
#include "store/base/deadline.h"
#include "store/base/mem.h"
#include "store/base/thread.h"

#define STAGES_POLL_MS 50 /* how soon a signal is passed on */

typedef int (*build_fn)(struct job *j, size_t stage, struct err **err);

struct worker {
	struct job *j;
	build_fn build;
	size_t stage;
	pthread_t thread;
	bool started;
	bool ended; /* behind the job's lock */
};

static unsigned jobs(const struct job *j)
{
	return j->session.o->jobs ? j->session.o->jobs : cpus_usable();
}

/* --- what stages ask ---------------------------------------------------------------------- */

int stages_wait(struct job *j, size_t stage, struct err **err)
{
	const struct job_stage *p = &j->progress[stage];

	pthread_mutex_lock(&j->session.stop.lock);
	while (j->session.stop.parallel && p->phase < JOB_DONE && !stop_get(&j->session.stop))
		pthread_cond_wait(&j->session.stop.changed, &j->session.stop.lock);
	bool done = p->phase == JOB_DONE;
	pthread_mutex_unlock(&j->session.stop.lock);
	if (done)
		return 0;
	return stop_check(&j->session.stop, err) < 0
		       ? -1
		       : err_set(err, ERR_BUILD, "stage \"%s\" was not built",
				 j->plan.stages[stage].title);
}

/* Are the bases of all earlier stages known? *n: their triggers. */
static bool earlier_triggers(const struct job *j, size_t stage, unsigned *n)
{
	*n = 0;
	for (size_t i = 0; i < stage; i++) {
		if (j->plan.stages[i].needed && !j->progress[i].opened)
			return false;
		*n += j->progress[i].ntriggers;
	}
	return true;
}

int stages_number(struct job *j, size_t stage, unsigned ntriggers, unsigned *first_trigger,
	unsigned *first_step, struct err **err)
{
	bool alone = job_needed(j) == 1;
	unsigned before = 0;

	pthread_mutex_lock(&j->session.stop.lock);
	j->progress[stage].opened = true;
	j->progress[stage].ntriggers = ntriggers;
	events_add_steps(&j->session.events, ntriggers);
	pthread_cond_broadcast(&j->session.stop.changed);
	while (ntriggers && !alone && !earlier_triggers(j, stage, &before) &&
		!stop_get(&j->session.stop))
		pthread_cond_wait(&j->session.stop.changed, &j->session.stop.lock);
	pthread_mutex_unlock(&j->session.stop.lock);
	*first_step = j->plan.stages[stage].first_step + (alone ? ntriggers : 0);
	*first_trigger = alone ? j->plan.stages[stage].first_step : j->plan.nsteps + 1 + before;
	return stop_check(&j->session.stop, err);
}

/* --- one after the other --------------------------------------------------------------------- */

static int build_serially(struct job *j, build_fn build, struct err **err)
{
	for (size_t i = 0; i < j->plan.nstages; i++) {
		if (!j->plan.stages[i].needed)
			continue;
		if (build(j, i, err) < 0)
			return -1;
		j->progress[i].phase = JOB_DONE;
	}
	return 0;
}

/* --- side by side ----------------------------------------------------------------------------- */

static void *stages_work(void *ctx)
{
	struct worker *w = ctx;
	struct job *j = w->j;
	struct err *err = NULL;
	sigset_t wake;

	sigemptyset(&wake);
	sigaddset(&wake, SIGURG);
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	int r = w->build(j, w->stage, &err);

	pthread_mutex_lock(&j->session.stop.lock);
	j->progress[w->stage].phase = r < 0 ? JOB_FAILED : JOB_DONE;
	j->progress[w->stage].err = err;
	if (r < 0 && !stop_get(&j->session.stop))
		stop_set(&j->session.stop, STOP_FAILURE);
	w->ended = true;
	pthread_cond_broadcast(&j->session.stop.changed);
	pthread_mutex_unlock(&j->session.stop.lock);
	return NULL;
}

static int stages_start(struct worker *w, struct err **err)
{
	int error = thread_start(&w->thread, stages_work, w);

	if (error)
		return err_set(err, ERR_SYS, "start a thread: %s", strerror(error));
	w->started = true;
	w->j->progress[w->stage].phase = JOB_RUNS;
	return 0;
}

static bool ready(const struct job *j, size_t stage)
{
	const struct plan_stage *ps = &j->plan.stages[stage];

	if (!ps->needed || j->progress[stage].phase != JOB_WAITS)
		return false;
	for (size_t i = 0; i < ps->ndeps; i++)
		if (j->progress[ps->deps[i]].phase != JOB_DONE)
			return false;
	return true;
}

/* All below: with the job's lock held. */

static unsigned stages_reap(struct worker *v, size_t n)
{
	unsigned running = 0;

	for (size_t i = 0; i < n; i++) {
		running += v[i].started && !v[i].ended;
		if (!v[i].started || !v[i].ended)
			continue;
		pthread_join(v[i].thread, NULL); /* all that is left to do there is to return */
		v[i].started = false;
	}
	return running;
}

/* The first stages of the file first: what waits for an earlier one never keeps it from running. */
static int start_ready(
	struct job *j, struct worker *v, unsigned *running, unsigned most, struct err **err)
{
	for (size_t i = 0; i < j->plan.nstages && *running < most && !stop_get(&j->session.stop);
		i++) {
		if (!ready(j, i))
			continue;
		if (stages_start(&v[i], err) < 0) {
			stop_set(&j->session.stop, STOP_FAILURE);
			return -1;
		}
		(*running)++;
	}
	return 0;
}

/* A signal becomes a stop, and whoever blocks in a system call is woken until he has noticed. */
static void pass_on_signal(struct job *j, const struct worker *v)
{
	int sig = cancel_asked(j->session.o->cancelled);

	if (sig && stop_get(&j->session.stop) <= 0) {
		stop_set(&j->session.stop, sig);
		pthread_cond_broadcast(&j->session.stop.changed);
	}
	for (size_t i = 0; stop_get(&j->session.stop) && i < j->plan.nstages; i++)
		if (v[i].started && !v[i].ended)
			pthread_kill(v[i].thread, SIGURG);
}

static void wait_for_change(struct job *j)
{
	deadline_cond_wait(&j->session.stop.changed, &j->session.stop.lock,
		deadline_in(STAGES_POLL_MS));
}

/* The failure that stands first in the file; those who were only ended by it do not count. */
static int first_failure(struct job *j, struct err **err)
{
	struct job_stage *first = NULL;

	for (size_t i = 0; i < j->plan.nstages; i++) {
		struct job_stage *p = &j->progress[i];
		if (p->phase != JOB_FAILED || !p->err)
			continue;
		if (!first || (err_get_kind(first->err) == ERR_CANCELLED &&
				      err_get_kind(p->err) != ERR_CANCELLED))
			first = p;
	}
	if (!first)
		return 0;
	if (err) {
		*err = first->err;
		first->err = NULL;
	}
	return -1;
}

static int build_side_by_side(struct job *j, build_fn build, unsigned most, struct err **err)
{
	struct worker *v = mem_array(j->plan.nstages, sizeof *v);
	unsigned running = 0;
	int r = 0;

	for (size_t i = 0; i < j->plan.nstages; i++)
		v[i] = (struct worker){.j = j, .build = build, .stage = i};
	j->session.stop.parallel = true;
	pthread_mutex_lock(&j->session.stop.lock);
	for (;;) {
		running = stages_reap(v, j->plan.nstages);
		if (r == 0)
			r = start_ready(j, v, &running, most, err);
		if (!running)
			break;
		wait_for_change(j);
		pass_on_signal(j, v);
	}
	pthread_mutex_unlock(&j->session.stop.lock);
	j->session.stop.parallel = false;
	free(v);
	if (r == 0)
		r = first_failure(j, err);
	return r == 0 ? stop_check(&j->session.stop, err) : r;
}

int stages_build(struct job *j, build_fn build, struct err **err)
{
	unsigned most = jobs(j);

	return most <= 1 || job_needed(j) <= 1 ? build_serially(j, build, err)
					       : build_side_by_side(j, build, most, err);
}
