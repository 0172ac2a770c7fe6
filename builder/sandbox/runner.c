// SPDX-License-Identifier: Apache-2.0
/*
 * The runner: probe, filter, program of PID 1, forker, made once, and the list of what runs.
 */
#include "builder/sandbox/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/sandbox/skeleton.h"
#include "builder/sandbox/kernel.h"
#include "builder/sandbox/pid1.h"
#include "builder/sandbox/sandbox.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/thread.h"

struct sandbox_runner {
	struct runner_facts facts;
	struct erofsmounts indexes;
	struct forker forker;
	atomic_int skeleton; /* a descriptor, or -1; set once */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct sandbox_job *jobs;
	int started; /* -1 = not yet, else an errno */
	bool stop;
};

/* What it makes dies with it; so it stays. */
static void *thread_main(void *arg)
{
	struct sandbox_runner *r = arg;

	pthread_mutex_lock(&r->lock);
	r->started = forker_start(&r->forker, &r->facts.groups);
	pthread_cond_broadcast(&r->change);
	while (!r->stop)
		pthread_cond_wait(&r->change, &r->lock);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

void runner_add(struct sandbox_runner *r, struct sandbox_job *job)
{
	pthread_mutex_lock(&r->lock);
	job->next = r->jobs;
	r->jobs = job;
	pthread_mutex_unlock(&r->lock);
}

void runner_remove(struct sandbox_runner *r, struct sandbox_job *job)
{
	struct sandbox_job **p;

	pthread_mutex_lock(&r->lock);
	for (p = &r->jobs; *p && *p != job; p = &(*p)->next)
		;
	if (*p)
		*p = job->next;
	pthread_mutex_unlock(&r->lock);
}

/* Stubs were removed where that was to be done. */
void runner_let_go(struct sandbox_job *job)
{
	fd_close(job->root);
	job->root = -1;
	while (job->nparent > 0)
		close(job->region->state.stub[--job->nparent].parent);
}

static void free_job(struct sandbox_job *job)
{
	runner_let_go(job);
	close(job->child.pidfd);
	close(job->ctl);
	fd_close(job->command);
	if (job->region)
		forker_return_region(&job->runner->forker, job->region, job->region->ops.used);
	free(job);
}

void runner_kill_job(struct sandbox_job *job)
{
	siginfo_t info;

	if (job->dead)
		return;
	(void)pidfd_send_signal(job->child.pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)job->child.pidfd, &info, WEXITED | __WALL) < 0 &&
		errno == EINTR)
		;
	job->dead = true;
}

void runner_end_job(struct sandbox_job *job)
{
	runner_kill_job(job);
	free_job(job);
}

static void end_all(struct sandbox_job *job)
{
	while (job) {
		struct sandbox_job *next = job->next;

		runner_end_job(job);
		job = next;
	}
}

static int find_facts(struct runner_facts *f, struct err **err)
{
	if (probe_run(&f->probe, err) < 0)
		return -1;
	if (sandbox_seccomp_compile(&f->filter, err) < 0)
		return -1;
	f->pid1 = pid1_program(err);
	if (f->pid1 < 0)
		return -1;
	return cgroups_open(&f->groups, err);
}

static void clear_facts(struct runner_facts *f)
{
	probe_clear(&f->probe);
	cgroups_close(&f->groups);
	sandbox_seccomp_clear(&f->filter);
	fd_close(f->pid1);
}

/* Children start with all signals blocked, as this thread does. */
static int runner_start_thread(struct sandbox_runner *r)
{
	int error = thread_start(&r->thread, thread_main, r);

	if (error)
		return error;
	pthread_mutex_lock(&r->lock);
	while (r->started < 0)
		pthread_cond_wait(&r->change, &r->lock);
	error = r->started;
	r->stop = error != 0;
	pthread_cond_broadcast(&r->change);
	pthread_mutex_unlock(&r->lock);
	if (error)
		pthread_join(r->thread, NULL);
	return error;
}

static void runner_clear(struct sandbox_runner *r)
{
	forker_clear(&r->forker);
	clear_facts(&r->facts);
	erofsmounts_clear(&r->indexes);
	fd_close(r->skeleton);
	pthread_cond_destroy(&r->change);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

struct sandbox_runner *sandbox_runner_new(struct err **err)
{
	struct sandbox_runner *r = mem_alloc(sizeof *r);
	int error;

	r->facts.pid1 = -1;
	cgroups_init(&r->facts.groups);
	r->started = -1;
	atomic_init(&r->skeleton, -1);
	erofsmounts_init(&r->indexes);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->change, NULL);
	if (find_facts(&r->facts, err) == 0 && forker_init(&r->forker, err) == 0) {
		error = runner_start_thread(r);
		if (error == 0)
			return r;
		err_set(err, ERR_SANDBOX, "%s: %s",
			cgroups_failed(&r->facts.groups)
				? "move the process that makes sandboxes into its control group"
				: "start the process that makes sandboxes",
			strerror(error));
	}
	runner_clear(r);
	return NULL;
}

void sandbox_runner_free(struct sandbox_runner *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->change);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	end_all(r->jobs);
	runner_clear(r);
}

int runner_skeleton(struct sandbox_runner *r)
{
	return atomic_load(&r->skeleton);
}

bool sandbox_lacks_skeleton(struct sandbox_runner *r)
{
	return runner_skeleton(r) < 0;
}

int sandbox_give_skeleton(struct sandbox_runner *r, int dir_fd, struct err **err)
{
	int none = -1;

	if (skeleton_fill(dir_fd, err) < 0)
		return -1;
	auto_fd int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_sys_kind(err, ERR_SANDBOX, "make the places to mount on");
	if (atomic_compare_exchange_strong(&r->skeleton, &none, fd))
		fd = -1;
	return 0;
}

const struct runner_facts *runner_facts(const struct sandbox_runner *r)
{
	return &r->facts;
}

struct erofsmounts *runner_erofsmounts(struct sandbox_runner *r)
{
	return &r->indexes;
}

struct forker *runner_forker(struct sandbox_runner *r)
{
	return &r->forker;
}

void runner_set_overlay(struct sandbox_runner *r, enum overlay_api api)
{
	r->facts.probe.overlay = api;
}
