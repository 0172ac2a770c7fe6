// SPDX-License-Identifier: Apache-2.0
/* Threads take no signal, and starting them leaves the caller's mask alone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "store/base/thread.h"

static void *look(void *ctx)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int sig = 1; sig < NSIG; sig++)
		/* Two are the C library's, two cannot be blocked. */
		if (sig != SIGKILL && sig != SIGSTOP && (sig < 32 || sig >= SIGRTMIN) &&
			!sigismember(&now, sig))
			atomic_store((atomic_int *)ctx, sig);
	return NULL;
}

static void same_mask(const sigset_t *a)
{
	sigset_t b;

	pthread_sigmask(SIG_SETMASK, NULL, &b);
	for (int sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(a, sig), sigismember(&b, sig));
}

static void test_mask(void **state)
{
	pthread_t one, crew[5];
	atomic_int open = 0;
	sigset_t before;

	(void)state;
	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(thread_start(&one, look, &open), 0);
	same_mask(&before);
	pthread_join(one, NULL);
	assert_int_equal(open, 0);
	assert_int_equal(thread_start_crew(crew, 5, look, &open), 5);
	same_mask(&before);
	for (int i = 0; i < 5; i++)
		pthread_join(crew[i], NULL);
	assert_int_equal(open, 0);
	assert_int_equal(thread_start_crew(crew, 0, look, &open), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_mask)};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
