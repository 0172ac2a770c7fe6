/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where threads begin. They begin with every signal blocked: signals are for the
 * threads that the program knows, whose waiting calls they interrupt; one that a helper took would
 * wake nobody. Who wants a signal in a helper unblocks it there.
 */
#ifndef BLD_STORE_BASE_THREAD_H
#define BLD_STORE_BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* 0 or an error number. The caller joins it. */
int thread_start(pthread_t *thread, void *(*work)(void *), void *arg);

/* As many of n as there is room for, all with the same argument; returns how many run. */
size_t thread_start_crew(pthread_t *threads, size_t n, void *(*work)(void *), void *arg);

#endif
