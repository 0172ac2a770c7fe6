// SPDX-License-Identifier: Apache-2.0
/*
 * Mount points that the sandbox made are taken away again, with the time of their directory; what
 * is not as it was made stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/sandbox/target.h"
#include "store/base/fs.h"
#include "tests/support/tempdir.h"

static struct ops_stub stub_of(int parent, const char *name, bool dir)
{
	struct ops_stub s = {.parent = fcntl(parent, F_DUPFD_CLOEXEC, 0), .dir = dir};
	struct stat sb;

	assert_int_equal(0, fstatat(parent, name, &sb, AT_SYMLINK_NOFOLLOW));
	s.dev = sb.st_dev;
	s.ino = sb.st_ino;
	memcpy(s.name, name, strlen(name) + 1);
	return s;
}

/* What is still what was made goes, with the time of its directory as it was; the rest stays. */
static void test_removed(void **state)
{
	struct tempdir *t = *state;
	const struct timespec old[2] = {{.tv_sec = 5}, {.tv_sec = 5, .tv_nsec = 7}};
	struct ops_stub stubs[4];
	struct ops_state st = {.stub = stubs, .nstub = 4};
	char failed[NAME_MAX + 1] = "";
	struct stat sb;

	assert_int_equal(0, fs_mkdirs(t->fd, "full/x", 0755));
	assert_int_equal(0, fs_mkdirs(t->fd, "empty", 0755));
	tempdir_write(t->fd, "file", "");
	tempdir_write(t->fd, "gone", "");
	stubs[0] = stub_of(t->fd, "full", true);
	stubs[1] = stub_of(t->fd, "empty", true);
	stubs[2] = stub_of(t->fd, "file", false);
	stubs[3] = stub_of(t->fd, "gone", false);
	assert_int_equal(0, unlinkat(t->fd, "gone", 0));
	assert_int_equal(0, futimens(t->fd, old));
	assert_int_equal(0, target_remove_stubs(&st, failed));
	assert_int_equal(0, st.nstub);
	assert_true(tempdir_has(t->fd, "full"));
	assert_false(tempdir_has(t->fd, "empty"));
	assert_false(tempdir_has(t->fd, "file"));
	assert_int_equal(0, fstat(t->fd, &sb));
	assert_int_equal(5, sb.st_mtim.tv_sec);
	assert_int_equal(7, sb.st_mtim.tv_nsec);
}

/* One that cannot be removed would be in the layer: that is told, and the others go all the same.
 */
static void test_left(void **state)
{
	struct tempdir *t = *state;
	struct ops_stub stubs[2];
	struct ops_state st = {.stub = stubs, .nstub = 2};
	char failed[NAME_MAX + 1] = "";
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(0, fs_mkdirs(t->fd, "d", 0755));
	stubs[0] = stub_of(t->fd, "d", true);
	stubs[1] = stub_of(proc, "sys", true);
	assert_int_equal(-1, target_remove_stubs(&st, failed));
	assert_int_equal(EPERM, errno);
	assert_string_equal("sys", failed);
	assert_int_equal(0, st.nstub);
	assert_false(tempdir_has(t->fd, "d"));
	close(proc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_removed, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_left, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests_name("sandbox_target", tests, NULL, NULL);
}
