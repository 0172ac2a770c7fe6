// SPDX-License-Identifier: Apache-2.0
/* Deletion in slices: depth, modes, large files, several processes at once, some of them killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/store.h"
#include "store/trash.h"
#include "tests/support/machine.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

static int trash(const struct storedir *d)
{
	return store_dir(d->s, STORE_TRASH);
}

/* A tree NAME of 1 + 3 + 3 * files entries. */
static void fill(const struct storedir *d, const char *name, int files)
{
	char path[200];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/d%d", name, i);
		assert_int_equal(0, fs_mkdirs(trash(d), path, 0700));
		for (int k = 0; k < files; k++) {
			snprintf(path, sizeof path, "%s/d%d/f%d", name, i, k);
			tempdir_write(trash(d), path, "x");
		}
	}
}

static void test_slices(void **state)
{
	struct storedir *d = *state;
	size_t slices = 0, n, total = 0;

	assert_int_equal(0, trash_slice(d->s, 10));
	fill(d, "t.1", 20);
	assert_int_equal(0, symlinkat("/", trash(d), "t.1/link"));
	assert_int_equal(0, symlinkat("/nowhere", trash(d), "t.2"));
	do {
		n = trash_slice(d->s, 10);
		assert_true(n <= 10);
		total += n;
		slices++;
	} while (n == 10);
	assert_int_equal(1 + 3 + 60 + 1 + 1, total);
	assert_int_equal(7, slices);
	assert_int_equal(0, tempdir_count(trash(d), "."));
	assert_int_equal(0, trash_slice(d->s, 10));
}

/* What was found wrong may still be mounted somewhere: prune's. */
static void test_shared_stays(void **state)
{
	struct storedir *d = *state;

	fill(d, "dir.1", 1);
	fill(d, "index.1", 1);
	fill(d, "stale.1", 1);
	fill(d, "left.1/dir.1", 1); /* below the top the name says nothing */
	assert_int_equal(7 + 8, trash_slice(d->s, 100));
	assert_int_equal(2, tempdir_count(trash(d), "."));
	assert_int_equal(0, trash_slice(d->s, 100));
	assert_int_equal(3, tempdir_count(trash(d), "dir.1"));
}

/* Without the right to write, as an ordinary user would meet it. */
static void test_modes(void **state)
{
	struct storedir *d = *state;

	fill(d, "t.1", 2);
	assert_int_equal(0, fchmodat(trash(d), "t.1/d1", 0, 0));
	assert_int_equal(0, fchmodat(trash(d), "t.1/d2", 0500, 0));
	trash_slice(d->s, 100);
	if (geteuid() == 0)
		assert_int_equal(0, tempdir_count(trash(d), "."));
}

static void test_deep(void **state)
{
	struct storedir *d = *state;
	int at = openat(trash(d), ".", O_RDONLY | O_DIRECTORY);

	for (int i = 0; i < 300; i++) {
		assert_int_equal(0, mkdirat(at, "deep", 0700));
		int next = openat(at, "deep", O_RDONLY | O_DIRECTORY);
		close(at);
		at = next;
	}
	close(at);
	for (int i = 0; i < 20; i++)
		trash_slice(d->s, 50);
	assert_int_equal(0, tempdir_count(trash(d), "."));
}

/* A large file goes a piece at a time; one that has another name is only unlinked. */
static void test_large(void **state)
{
	struct storedir *d = *state;
	int fd = openat(trash(d), "big", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	off_t size = (off_t)TRASH_SLICE_BYTES * 2 + 4096;
	struct stat st;

	assert_true(fd >= 0);
	if (fallocate(fd, 0, 0, size) < 0)
		SKIP_MACHINE("no room for 2 large files in $TMPDIR, or no fallocate there");
	assert_int_equal(0, linkat(trash(d), "big", store_tmp_fd(d->s), "other", 0));
	assert_int_equal(0, linkat(trash(d), "big", trash(d), "again", 0));
	assert_int_equal(2, trash_slice(d->s, 10));
	assert_int_equal(0, fstat(fd, &st));
	assert_int_equal(size, st.st_size);
	assert_int_equal(0, renameat(store_tmp_fd(d->s), "other", trash(d), "big"));
	assert_int_equal(10, trash_slice(d->s, 10));
	assert_int_equal(0, fstat(fd, &st));
	assert_int_equal(size - (off_t)TRASH_SLICE_BYTES, st.st_size);
	assert_int_equal(10, trash_slice(d->s, 10));
	assert_int_equal(1, trash_slice(d->s, 10));
	assert_int_equal(0, tempdir_count(trash(d), "."));
	close(fd);
}

/* Several at the same trash, some killed on the way: what is left is deleted later. */
static void test_many(void **state)
{
	enum { KIDS = 4 };
	struct storedir *d = *state;
	pid_t pid[KIDS];
	int status;

	for (int i = 0; i < 3; i++) {
		char name[16];
		snprintf(name, sizeof name, "t.%d", i);
		fill(d, name, 30);
	}
	for (int i = 0; i < KIDS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (int k = 0; i != 0 || k < 2; k++)
			if (trash_slice(d->s, 7) < 7)
				_exit(0);
		_exit(1); /* the first one ends in the middle */
	}
	for (int i = 0; i < KIDS; i++)
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
	trash_slice(d->s, 1000);
	assert_int_equal(0, tempdir_count(trash(d), "."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slices, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_shared_stays, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_modes, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_deep, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_large, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_many, storedir_setup, storedir_teardown),
	};

	return cmocka_run_group_tests_name("trash", tests, NULL, NULL);
}
