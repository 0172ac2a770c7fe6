// SPDX-License-Identifier: Apache-2.0
/*
 * Locks between descriptors and between processes: removed files, readers who may not write, owners
 * that are killed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "tests/support/tempdir.h"

static void test_modes(void **state)
{
	struct tempdir *t = *state;
	struct err *e = NULL;

	int a = lock_take(t->fd, "l", LOCK_SHARED, true, &e);
	int b = lock_take(t->fd, "l", LOCK_SHARED, false, &e);
	assert_true(a >= 0 && b >= 0);
	assert_int_equal(-1, lock_take(t->fd, "l", LOCK_EXCLUSIVE, false, &e));
	assert_int_equal(EWOULDBLOCK, errno);
	assert_null(e);
	close(a);
	assert_int_equal(-1, lock_take(t->fd, "l", LOCK_EXCLUSIVE, false, &e));
	assert_int_equal(0, lock_release(b));
	a = lock_take(t->fd, "l", LOCK_EXCLUSIVE, false, &e);
	assert_true(a >= 0);
	assert_int_equal(-1, lock_fd(b, LOCK_SHARED, false));
	assert_int_equal(EWOULDBLOCK, errno);
	close(a);
	assert_int_equal(0, lock_fd(b, LOCK_SHARED, false));
	close(b);
	assert_int_equal(-1, lock_take(t->fd, "no/l", LOCK_EXCLUSIVE, true, &e));
	assert_int_equal(ERR_SYS, err_get_kind(e));
	err_free(e);
}

static void test_bytes(void **state)
{
	struct tempdir *t = *state;
	int a = openat(t->fd, "l", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int b = openat(t->fd, "l", O_RDWR | O_CLOEXEC);

	assert_int_equal(0, lock_byte(a, 5, LOCK_EXCLUSIVE, true));
	assert_int_equal(0, lock_byte(b, 6, LOCK_EXCLUSIVE, false));
	assert_int_equal(-1, lock_byte(b, 5, LOCK_SHARED, false));
	assert_int_equal(EWOULDBLOCK, errno);
	assert_int_equal(0, lock_byte(a, UINT64_MAX, LOCK_EXCLUSIVE, false));
	assert_int_equal(0, lock_release(a));
	assert_int_equal(0, lock_byte(b, 5, LOCK_SHARED, false));
	close(a);
	close(b);
}

/* The shared lock of one who may only read cannot become exclusive, and that is the reason given.
 */
static void test_read_only(void **state)
{
	struct tempdir *t = *state;

	tempdir_write(t->fd, "l", "");
	int fd = openat(t->fd, "l", O_RDONLY | O_CLOEXEC);
	assert_int_equal(0, lock_fd(fd, LOCK_SHARED, false));
	assert_int_equal(-1, lock_fd(fd, LOCK_EXCLUSIVE, false));
	assert_int_equal(EACCES, errno);
	close(fd);
}

/* A lock on a file that was removed meanwhile excludes nobody: it must be taken again. */
static void test_removed(void **state)
{
	struct tempdir *t = *state;
	int up[2], status;

	int held = lock_take(t->fd, "l", LOCK_EXCLUSIVE, true, NULL);
	assert_true(held >= 0);
	assert_int_equal(0, pipe2(up, O_CLOEXEC));
	pid_t pid = fork();
	if (pid == 0) {
		close(held); /* a fork shares the lock */
		if (write(up[1], "x", 1) != 1)
			_exit(9);
		int fd = lock_take(t->fd, "l", LOCK_EXCLUSIVE, true, NULL);
		_exit(fd >= 0 && tempdir_has(t->fd, "l") ? 0 : 1);
	}
	char c;
	assert_int_equal(1, read(up[0], &c, 1));
	assert_int_equal(0, unlinkat(t->fd, "l", 0));
	close(held);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	close(up[0]);
	close(up[1]);
}

/* Eight processes add to a counter in a file; without the lock most of the additions are lost. */
static void test_processes(void **state)
{
	enum { KIDS = 8, ROUNDS = 200 };
	struct tempdir *t = *state;
	pid_t pid[KIDS];
	int status;

	tempdir_write(t->fd, "n", "0");
	for (int i = 0; i < KIDS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (int k = 0; k < ROUNDS; k++) {
			int fd = lock_take(t->fd, "l", LOCK_EXCLUSIVE, true, NULL);
			if (fd < 0)
				_exit(1);
			char *s = tempdir_read(t->fd, "n");
			char *next = mem_printf("%ld", strtol(s, NULL, 10) + 1);
			tempdir_write(t->fd, "n", next);
			free(s);
			free(next);
			close(fd);
		}
		_exit(0);
	}
	for (int i = 0; i < KIDS; i++) {
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
		assert_int_equal(0, status);
	}
	char *s = tempdir_read(t->fd, "n");
	assert_string_equal("1600", s);
	free(s);
}

/* The lock ends with its owner, however that ends. */
static void test_killed(void **state)
{
	struct tempdir *t = *state;
	int up[2];
	char c;

	assert_int_equal(0, pipe2(up, O_CLOEXEC));
	pid_t pid = fork();
	if (pid == 0) {
		int fd = lock_take(t->fd, "l", LOCK_EXCLUSIVE, true, NULL);
		if (fd < 0 || write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(1, read(up[0], &c, 1));
	assert_int_equal(-1, lock_take(t->fd, "l", LOCK_EXCLUSIVE, false, NULL));
	kill(pid, SIGKILL);
	int fd = lock_take(t->fd, "l", LOCK_EXCLUSIVE, true, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(pid, waitpid(pid, NULL, 0));
	close(up[0]);
	close(up[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modes, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_bytes, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_read_only, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_removed, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_processes, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_killed, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
