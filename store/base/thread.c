// SPDX-License-Identifier: Apache-2.0
/*
 * A thread inherits the mask of the one that makes it; so that is full while it is made, and as it
 * was before the caller goes on. There is no moment in which the new thread could take a signal.
 */
#include "store/base/thread.h"

#include <signal.h>

size_t thread_start_crew(pthread_t *threads, size_t n, void *(*work)(void *), void *arg)
{
	sigset_t all, before;
	size_t started = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < n && pthread_create(&threads[started], NULL, work, arg) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

int thread_start(pthread_t *thread, void *(*work)(void *), void *arg)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(thread, NULL, work, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}
