// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors of lowers: duplicated all or none, and kept up to a limit. Run with few descriptors
 * to spare.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/keep.h"
#include "store/lower.h"
#include "tests/support/tempdir.h"

static int null_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static size_t open_fds(void)
{
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t n = tempdir_count(fd, ".");

	close(fd);
	return n;
}

static struct lower index_of(size_t ntars)
{
	struct lower l = {.dir_fd = -1, .index_fd = null_fd()};

	l.tar_fds = mem_array(ntars + 1, sizeof *l.tar_fds);
	while (l.ntars < ntars)
		l.tar_fds[l.ntars++] = null_fd();
	return l;
}

/* At most so many more descriptors. */
static struct rlimit allow(int more)
{
	struct rlimit old, few;
	int next = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	close(next);
	getrlimit(RLIMIT_NOFILE, &old);
	few = (struct rlimit){.rlim_cur = (rlim_t)(next + more), .rlim_max = old.rlim_max};
	setrlimit(RLIMIT_NOFILE, &few);
	return old;
}

static void test_dup(void **state)
{
	struct lowers s = {0}, t;
	size_t before = open_fds();

	(void)state;
	lower_push(&s, lower_of_dir(null_fd()));
	lower_push(&s, index_of(3));
	assert_int_equal(0, lower_dup(&t, &s));
	assert_int_equal(2, t.n);
	assert_true(t.v[0].dir_fd >= 0 && t.v[0].dir_fd != s.v[0].dir_fd);
	assert_int_equal(-1, t.v[0].index_fd);
	assert_int_equal(-1, t.v[1].dir_fd);
	assert_int_equal(3, t.v[1].ntars);
	assert_int_equal(before + 10, open_fds());
	lower_clear_all(&s);
	lower_clear_all(&t);
	assert_int_equal(before, open_fds());
}

/* Too few descriptors: nothing is left open, and the caller learns why. */
static void test_no_descriptors(void **state)
{
	struct lowers s = {0}, t;
	size_t before;

	(void)state;
	lower_push(&s, lower_of_dir(null_fd()));
	lower_push(&s, index_of(3));
	before = open_fds();
	for (int more = 0; more < 5; more++) {
		struct rlimit old = allow(more);
		errno = 0;
		int r = lower_dup(&t, &s), why = errno;
		setrlimit(RLIMIT_NOFILE, &old);
		assert_int_equal(-1, r);
		assert_int_equal(EMFILE, why);
		assert_int_equal(0, t.n);
		assert_null(t.v);
		assert_int_equal(before, open_fds());
	}
	lower_clear_all(&s);
}

/* What is kept has descriptors of its own, and there are not more than a few. */
static void test_keep(void **state)
{
	struct keep *k = keep_new();
	size_t before = open_fds();
	struct lower l = index_of(KEEP_FDS_MAX - 11), small = index_of(9), out;

	(void)state;
	assert_false(keep_get(k, "a", &out));
	keep_put(k, "a", &l);
	keep_put(k, "a", &l); /* is there */
	keep_put(k, "b", &l); /* too many */
	keep_put(k, "c", &small);
	keep_put(k, "d", &small); /* one too many */
	lower_clear(&l);
	assert_true(keep_get(k, "a", &out));
	assert_int_equal(KEEP_FDS_MAX - 11, out.ntars);
	assert_int_equal(0, lseek(out.tar_fds[0], 0, SEEK_CUR));
	lower_clear(&out);
	assert_false(keep_get(k, "b", &out));
	assert_true(keep_get(k, "c", &out));
	lower_clear(&out);
	assert_false(keep_get(k, "d", &out));
	struct rlimit old = allow(2);
	bool found = keep_get(k, "c", &out);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_false(found);
	lower_clear(&small);
	keep_free(k);
	keep_free(NULL);
	assert_int_equal(before, open_fds());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dup),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_keep),
	};
	return cmocka_run_group_tests_name("lower", tests, NULL, NULL);
}
