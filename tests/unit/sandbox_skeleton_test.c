// SPDX-License-Identifier: Apache-2.0
/* The directory below all layers: what it spares the upper, and what it must not change. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdlib.h>

#include "builder/sandbox/sandbox.h"
#include "store/base/mem.h"
#include "store/lower.h"
#include "tests/support/sandbox_box.h"

static void give(struct box *b, const char *name)
{
	struct err *err = NULL;
	int fd = sandbox_box_mkdir(b->dir, name, 0700);

	if (sandbox_give_skeleton(b->runner, fd, &err) < 0)
		fail_msg("skeleton: %s", err_text(err));
	close(fd);
}

static int setup(void **state)
{
	struct box *b;

	sandbox_box_setup(state);
	b = *state;
	assert_true(sandbox_lacks_skeleton(b->runner));
	umask(077);
	give(b, "skeleton");
	umask(022);
	assert_false(sandbox_lacks_skeleton(b->runner));
	return 0;
}

static void expect_upper(struct box *b, const char *text)
{
	char *got = sandbox_box_upper(b);

	assert_string_equal(got, text);
	free(got);
}

/* On a root without any layer but the programs. */
static void expect_bare(struct box *b, const char *script, const char *text)
{
	struct box_run r;
	int bin = openat(b->root, "bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sandbox_mount m = {
		.kind = SANDBOX_MOUNT_BIND, .target = "/bin", .source_fd = bin, .readonly = true};

	sandbox_box_prepare(b, &r, script);
	r.spec.lowers.n = 0;
	r.spec.mounts = &m;
	r.spec.nmounts = 1;
	sandbox_box_run(b, &r);
	assert_string_equal(r.text, text);
	assert_int_equal(r.res.exit_code, 0);
	sandbox_box_done(&r);
	close(bin);
}

static void test_upper_stays_empty(void **state)
{
	free(sandbox_box_sh(*state, 0, "true"));
	expect_upper(*state, "");
}

static void test_attributes(void **state)
{
	expect_bare(*state,
		"stat -c '%n %a %u %g' / /dev /etc /proc /sys; cat /etc/hostname; ls /etc",
		"/ 755 0 0\n/dev 755 0 0\n/etc 755 0 0\n/proc 555 0 0\n/sys 555 0 0\nbld\n"
		"hostname\nhosts\nresolv.conf\n");
	expect_upper(*state, "");
}

static void test_changes_land_in_upper(void **state)
{
	expect_bare(*state, "echo x > /etc/own; rm /etc/hosts 2>/dev/null || echo busy", "busy\n");
	expect_upper(*state, "./etc\n./etc/own\n");
	expect_bare(*state, "chmod 700 /etc", "");
	expect_upper(*state, "./etc\n");
	expect_bare(*state, "stat -c %a /etc", "755\n");
}

/* The image's own directories and files are above it. */
static void test_image_comes_first(void **state)
{
	struct box *b = *state;
	char *got;

	assert_int_equal(fchmodat(b->root, "etc", 0711, 0), 0);
	assert_int_equal(symlinkat("../run/resolv", b->root, "etc/resolv.conf"), 0);
	got = sandbox_box_sh(b, 0, "stat -c %a /etc; readlink /etc/resolv.conf; ls /run");
	assert_string_equal(got, "711\n../run/resolv\nresolv\n");
	free(got);
	expect_upper(b, "./run\n");
	assert_int_equal(unlinkat(b->root, "etc/resolv.conf", 0), 0);
	assert_int_equal(fchmodat(b->root, "etc", 0755, 0), 0);
}

/* No room for it: places are made as without one. */
static void test_most_lowers(void **state)
{
	struct box *b = *state;
	struct box_run r;
	char name[32];

	sandbox_box_prepare(b, &r, "cat /etc/hostname");
	for (int i = 1; i < SANDBOX_LOWERS_MAX; i++) {
		snprintf(name, sizeof name, "nothing/%d", i);
		r.lower[i] = lower_of_dir(sandbox_box_mkdir(b->dir, name, 0755));
	}
	r.spec.lowers.n = SANDBOX_LOWERS_MAX;
	sandbox_box_run(b, &r);
	assert_string_equal(r.text, "bld\n");
	sandbox_box_done(&r);
	expect_upper(b, "./etc\n");
	for (int i = 1; i < SANDBOX_LOWERS_MAX; i++)
		close(r.lower[i].dir_fd);
}

static void test_second_is_left(void **state)
{
	give(*state, "second");
	test_upper_stays_empty(state);
}

/* Directories made ahead are used as they are. */
static void test_scratch_ahead(void **state)
{
	struct box *b = *state;
	struct box_run r;
	struct err *err = NULL;
	struct stat ahead, used;

	sandbox_box_prepare(b, &r, "echo x > /new");
	assert_int_equal(sandbox_make_scratch(r.spec.scratch_fd, &err), 0);
	assert_int_equal(fstatat(r.spec.scratch_fd, "upper", &ahead, 0), 0);
	sandbox_box_run(b, &r);
	sandbox_box_done(&r);
	expect_upper(b, "./new\n");
	assert_int_equal(fstatat(b->scratch, "upper", &used, 0), 0);
	assert_int_equal(used.st_ino, ahead.st_ino);
	assert_int_equal(used.st_mode, S_IFDIR | 0755);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upper_stays_empty),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_changes_land_in_upper),
		cmocka_unit_test(test_image_comes_first),
		cmocka_unit_test(test_most_lowers),
		cmocka_unit_test(test_second_is_left),
		cmocka_unit_test(test_scratch_ahead),
	};
	const char *why = sandbox_box_missing();

	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, sandbox_box_teardown);
}
