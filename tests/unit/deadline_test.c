// SPDX-License-Identifier: Apache-2.0
/* Deadlines: what is left, sums that would overflow, what poll() and condition variables get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "store/base/deadline.h"
#include "store/base/now.h"

#define HOUR 3600000

static void test_left(void **state)
{
	(void)state;
	struct deadline past = {now_monotonic_ms() - 1}, hour = deadline_in(HOUR);

	assert_int_equal(deadline_left(past), 0);
	assert_true(deadline_over(past));
	assert_true(deadline_over(deadline_in(0)));
	assert_false(deadline_over(hour));
	assert_in_range(deadline_left(hour), HOUR - 60000, HOUR);
	assert_false(deadline_over(DEADLINE_NEVER));
}

static void test_overflow(void **state)
{
	(void)state;
	assert_true(deadline_in(UINT64_MAX).at == UINT64_MAX);
	assert_true(deadline_in(UINT64_MAX - 1).at == UINT64_MAX);
	assert_false(deadline_over(deadline_in(UINT64_MAX / 2)));
	assert_true(deadline_limit(0).at == UINT64_MAX);
	assert_false(deadline_limit(1).at == UINT64_MAX);
}

static void test_poll(void **state)
{
	(void)state;
	struct deadline past = {1}, hour = deadline_in(HOUR), far = deadline_in(UINT64_MAX / 4);

	assert_int_equal(deadline_poll(past, -1), 0);
	assert_int_equal(deadline_poll(past, 100), 0);
	assert_int_equal(deadline_poll(hour, 100), 100);
	assert_in_range(deadline_poll(hour, -1), HOUR - 60000, HOUR);
	assert_int_equal(deadline_poll(far, -1), INT_MAX);
	assert_int_equal(deadline_poll(DEADLINE_NEVER, -1), -1);
	assert_int_equal(deadline_poll(DEADLINE_NEVER, 100), 100);
}

static void test_cond_wait(void **state)
{
	(void)state;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t c;
	struct deadline soon = deadline_in(20);

	deadline_cond_init(&c);
	pthread_mutex_lock(&lock);
	assert_int_equal(deadline_cond_wait(&c, &lock, (struct deadline){0}), ETIMEDOUT);
	while (deadline_cond_wait(&c, &lock, soon) == 0)
		;
	assert_true(deadline_over(soon));
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_cond_wait),
	};
	return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
