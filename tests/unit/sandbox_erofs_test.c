// SPDX-License-Identifier: Apache-2.0
/* Lowers that are EROFS images. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/sandbox/erofsmounts.h"
#include "builder/sandbox/runner.h"
#include "builder/sandbox/sandbox.h"
#include "store/base/mem.h"
#include "store/lower.h"
#include "tests/support/machine.h"
#include "tests/support/sandbox_box.h"

/* A runner of its own, for a test that changes what it found. */
static struct sandbox_runner *own_runner(struct box *b)
{
	struct sandbox_runner *before = b->runner;
	struct err *err = NULL;

	b->runner = sandbox_runner_new(&err);
	assert_non_null(b->runner);
	return before;
}

static void drop_runner(struct box *b, struct sandbox_runner *before)
{
	sandbox_runner_free(b->runner);
	b->runner = before;
}

static void test_release(void **state)
{
	static const struct {
		const char *release;
		bool safe;
	} t[] = {
		{"6.12.0", false},
		{"6.12", false},
		{"6.12-foo", false},
		{"6.12.0-rc1", false},
		{"6.12.0-55.9.1.el10_0.x86_64", false},
		{"6.12.1", false},
		{"6.12.1-foo", false},
		{"6.12.1+", false},
		{"6.12.2", true},
		{"6.12.2-rc1", true},
		{"6.12.43+deb13-amd64", true},
		{"6.12.10", true},
		{"6.13.0-rc1", true},
		{"6.13", true},
		{"6.18.44-fc-v669", true},
		{"7.0.0-rc3", true},
		{"10.1", true},
		{"6.11.11", false},
		{"6.1.0-44-amd64", false},
		{"6.1.120", false},
		{"5.15.0", false},
		{"4.18.0-553.el8", false},
		{"6", false},
		{"", false},
		{"Linux", false},
		{"-6.13.0", false},
		{"6.-13", false},
		{"99999999999999999999.1", true},
		{"6.99999999999999999999", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (erofsmounts_release_is_safe(t[i].release) != t[i].safe)
			fail_msg("%s", t[i].release);
}

#define NO_EROFS "no EROFS images on the file system of $TMPDIR"

static bool works_here(struct box *b)
{
	struct lower l = sandbox_box_index(b, "pr", "probe");
	struct err *err = NULL;
	int r = sandbox_try_lowers(b->runner, &l, 1, &err);

	if (r < 0)
		fail_msg("%s", err_text(err));
	lower_clear(&l);
	assert_int_equal(sandbox_takes_erofs(b->runner), r == 1);
	return r == 1;
}

static size_t count_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	size_t n = 0;
	int c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* An index between directories; what it says, who wins, what is written. */
static void check_stack(struct box *b)
{
	struct box_run r;
	int top = sandbox_box_mkdir(b->dir, "top", 0755);
	size_t before = count_mounts();
	struct lower index, same;

	sandbox_box_write(top, "cc", "directory on top\n", 0644);
	index = sandbox_box_index(b, "aa", "from the index\n");
	same = sandbox_box_index(b, "cc", "hidden\n");
	sandbox_box_prepare(b, &r,
		"cat /aa /cc; stat -c '%a %s %Y' /aa; echo more >>/aa; cat /aa; ls /; rm /cc; "
		"grep -c erofs /proc/mounts; mkdir -p /new; touch /aa");
	r.lower[1] = index;
	r.lower[2] = same;
	r.lower[3] = lower_of_dir(top);
	r.spec.lowers.n = 4;
	sandbox_box_run(b, &r);
	assert_int_equal(r.res.exit_code, 0);
	assert_string_equal(r.text,
		"from the index\ndirectory on top\n644 15 1700000000\n"
		"from the index\nmore\naa\nbin\ncc\ndev\netc\nproc\nroot\nrun\nsys\ntmp\n0\n");
	sandbox_box_done(&r);
	r.text = sandbox_box_upper(b);
	assert_string_equal(r.text, "./aa\n./cc\n./etc\n./new\n");
	sandbox_box_done(&r);
	/* Fewer: a directory that was removed elsewhere took its mount along. */
	assert_true(count_mounts() <= before);
	lower_clear(&index);
	lower_clear(&same);
	close(top);
	assert_int_equal(unlinkat(b->dir, "top/cc", 0), 0);
	assert_int_equal(unlinkat(b->dir, "top", AT_REMOVEDIR), 0);
}

static void test_stack(void **state)
{
	if (!works_here(*state))
		SKIP_KERNEL(NO_EROFS);
	check_stack(*state);
}

static void test_stack_classic(void **state)
{
	struct box *b = *state;
	struct sandbox_runner *before;

	if (!works_here(b))
		SKIP_KERNEL(NO_EROFS);
	before = own_runner(b);
	runner_set_overlay(b->runner, OVERLAY_CLASSIC);
	check_stack(b);
	drop_runner(b, before);
}

/* As before Linux 6.15. */
static void test_stack_attached(void **state)
{
	struct box *b = *state;
	struct sandbox_runner *before;

	if (!works_here(b))
		SKIP_KERNEL(NO_EROFS);
	before = own_runner(b);
	erofsmounts_force_attached(runner_erofsmounts(b->runner));
	check_stack(b);
	drop_runner(b, before);
}

/* The top lower says what the root looks like, also when it is an index. */
static void test_root_attributes(void **state)
{
	struct box *b = *state;
	struct lower l;
	struct box_run r;

	if (!works_here(b))
		SKIP_KERNEL(NO_EROFS);
	l = sandbox_box_index(b, "aa", "x");
	for (int attached = 0; attached < 2; attached++) {
		struct sandbox_runner *before = own_runner(b);

		if (attached)
			erofsmounts_force_attached(runner_erofsmounts(b->runner));
		sandbox_box_prepare(b, &r, "stat -c '%a %Y' /");
		r.lower[1] = l;
		r.spec.lowers.n = 2;
		sandbox_box_run(b, &r);
		assert_string_equal(r.text, "755 1700000000\n");
		sandbox_box_done(&r);
		drop_runner(b, before);
	}
	lower_clear(&l);
}

static void check_bind(struct box *b)
{
	struct lower v[2] = {
		sandbox_box_index(b, "aa", "one\n"), sandbox_box_index(b, "bb", "two\n")};
	struct sandbox_mount m[4] = {
		{.kind = SANDBOX_MOUNT_BIND,
			.target = "/one",
			.source_fd = -1,
			.lowers = {v, 1},
			.readonly = true},
		{.kind = SANDBOX_MOUNT_BIND,
			.target = "/both",
			.source_fd = -1,
			.lowers = {v, 2},
			.readonly = true},
		{.kind = SANDBOX_MOUNT_BIND,
			.target = "/file",
			.source_fd = -1,
			.lowers = {v, 2},
			.source = "bb",
			.readonly = true},
		{.kind = SANDBOX_MOUNT_SCRATCH,
			.target = "/gone",
			.source_fd = -1,
			.lowers = {v, 2}},
	};
	struct box_run r;

	sandbox_box_prepare(b, &r,
		"touch /one/x 2>/dev/null && echo WRITABLE; ls /one /both; cat /file; echo 3 "
		">/gone/aa; "
		"cat /gone/*; cat /both/aa");
	r.spec.mounts = m;
	r.spec.nmounts = ARRAY_LEN(m);
	sandbox_box_run(b, &r);
	assert_string_equal(r.text, "/both:\naa\nbb\n\n/one:\naa\ntwo\n3\ntwo\none\n");
	sandbox_box_done(&r);
	r.text = sandbox_box_upper(b);
	assert_string_equal(r.text, "./etc\n"); /* where /etc/hosts was */
	sandbox_box_done(&r);
	lower_clear(&v[0]);
	lower_clear(&v[1]);
}

static void test_bind(void **state)
{
	struct box *b = *state;

	if (!works_here(b))
		SKIP_KERNEL(NO_EROFS);
	check_bind(b);
	for (int i = 0; i < 2; i++) {
		struct sandbox_runner *before = own_runner(b);

		if (i)
			erofsmounts_force_attached(runner_erofsmounts(b->runner));
		else
			runner_set_overlay(b->runner, OVERLAY_CLASSIC);
		check_bind(b);
		drop_runner(b, before);
	}
}

static void pair_name(size_t i, char name[3])
{
	name[0] = (char)('a' + i / 26);
	name[1] = (char)('a' + i % 26);
	name[2] = '\0';
}

/* As many as one overlay takes, every second one an index. */
static void test_500_lowers(void **state)
{
	struct box *b = *state;
	struct lowers own = {0};
	struct err *err = NULL;
	struct box_run r;

	if (!works_here(b))
		SKIP_KERNEL(NO_EROFS);
	lower_push(&own, lower_of_dir(dup(b->root)));
	for (size_t i = 1; i < SANDBOX_LOWERS_MAX; i++) {
		char name[16], pair[3];

		pair_name(i, pair);
		snprintf(name, sizeof name, "layer%zu", i);
		if (i % 2) {
			lower_push(&own, sandbox_box_index(b, pair, "i\n"));
		} else {
			lower_push(&own, lower_of_dir(sandbox_box_mkdir(b->dir, name, 0755)));
			sandbox_box_write(own.v[i].dir_fd, pair, "d\n", 0644);
		}
	}
	for (int way = 0; way < 3; way++) {
		struct sandbox_runner *before = own_runner(b);

		if (way == 1)
			runner_set_overlay(b->runner, OVERLAY_CLASSIC);
		if (way == 2)
			erofsmounts_force_attached(runner_erofsmounts(b->runner));
		assert_int_equal(sandbox_try_lowers(b->runner, own.v, own.n, &err), 1);
		sandbox_box_prepare(b, &r, "cat /[a-z][a-z] | sort | uniq -c; cat /ab /tf");
		r.spec.lowers.v = own.v;
		r.spec.lowers.n = own.n;
		sandbox_box_run(b, &r);
		assert_string_equal(r.text, "    249 d\n    250 i\ni\ni\n");
		sandbox_box_done(&r);
		drop_runner(b, before);
	}
	lower_clear_all(&own);
}

/* More indexes than are kept: the oldest mounts go, and come again. */
static void test_bounded(void **state)
{
	struct box *b = *state;
	struct erofsmounts x;
	struct err *err = NULL;
	struct lower l = sandbox_box_index(b, "aa", "x");
	struct stat first, again;
	bool attach = false;
	int fd;

	if (!works_here(b)) {
		lower_clear(&l);
		SKIP_KERNEL(NO_EROFS);
	}
	erofsmounts_init(&x);
	fd = erofsmounts_get(&x, &l, &attach, &err);
	if (fd < 0)
		fail_msg("%s", err_text(err));
	assert_int_equal(fstat(fd, &first), 0);
	close(fd);
	fd = erofsmounts_get(&x, &l, &attach, &err);
	assert_true(fd >= 0 && fstat(fd, &again) == 0);
	close(fd);
	if (!attach)
		assert_int_equal(first.st_dev, again.st_dev); /* the same mount */
	assert_int_equal(x.n, 1);
	for (size_t i = 0; i < EROFSMOUNTS_MAX; i++) {
		struct lower more = sandbox_box_index(b, "bb", "y");

		assert_int_equal(erofsmounts_try(&x, &more, 1, &err), 1);
		lower_clear(&more);
	}
	assert_int_equal(x.n, EROFSMOUNTS_MAX);
	assert_int_equal(erofsmounts_try(&x, &l, 1, &err), 1);
	assert_int_equal(x.n, EROFSMOUNTS_MAX);
	erofsmounts_clear(&x);
	lower_clear(&l);
}

/* On tmpfs: refused for good, and no error. */
static void test_refused(void **state)
{
	struct box *b = *state;
	struct sandbox_runner *before = own_runner(b);
	struct err *err = NULL;
	struct lower l = {.dir_fd = -1, .index_fd = memfd_create("index", MFD_CLOEXEC)};
	struct lower dir = lower_of_dir(dup(b->root));
	struct box_run r;
	char page[4096] = {0};

	assert_int_equal(write(l.index_fd, page, sizeof page), sizeof page);
	assert_int_equal(sandbox_try_lowers(b->runner, &l, 1, &err), 0);
	assert_null(err);
	assert_false(sandbox_takes_erofs(b->runner));
	assert_int_equal(sandbox_try_lowers(b->runner, &dir, 1, &err), 0);
	sandbox_box_prepare(b, &r, "true");
	r.lower[1] = l;
	r.spec.lowers.n = 2;
	assert_null(sandbox_box_start(b, &r, &(int){-1}, &err));
	assert_int_equal(err_get_kind(err), ERR_SANDBOX);
	assert_string_equal(err_text(err), "EROFS images cannot be mounted here");
	err_free(err);
	lower_clear(&l);
	lower_clear(&dir);
	drop_runner(b, before);
}

/* --- several threads -------------------------------------------------------------------------- */

struct worker {
	struct box *b;
	struct lower *lower; /* shared */
	unsigned number;
	unsigned good;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < 5; i++) {
		static const char *const argv[] = {"sh", "-c", "cat /aa /bb; exit 7", NULL};
		static const char *const envp[] = {"PATH=/bin", NULL};
		struct err *err = NULL;
		struct sandbox_result res = {0};
		char name[32], text[64];
		int p[2];
		ssize_t n;

		snprintf(name, sizeof name, "thread%u-%u", w->number, i);
		if (mkdirat(w->b->dir, name, 0700) < 0 || pipe2(p, O_CLOEXEC) < 0)
			return NULL;
		auto_fd int scratch = openat(w->b->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct sandbox_spec spec = {
			.lowers = {w->lower, 3},
			.scratch_fd = scratch,
			.argv = argv,
			.envp = envp,
			.cwd = "/",
			.stdin_fd = -1,
			.stdout_fd = p[1],
			.stderr_fd = p[1],
		};
		struct sandbox_job *job = sandbox_try_lowers(w->b->runner, w->lower, 3, &err) == 1
						  ? sandbox_start(w->b->runner, &spec, &err)
						  : NULL;
		close(p[1]);
		if (job && sandbox_wait(job, &res, &err) == 0) {
			n = read(p[0], text, sizeof text - 1);
			text[n > 0 ? n : 0] = '\0';
			if (strcmp(text, "1\n2\n") == 0 && res.exit_code == 7)
				w->good++;
			else
				print_message("exit code %d: %s\n", res.exit_code, text);
		} else {
			print_message("%s\n", err_text(err));
		}
		close(p[0]);
		err_free(err);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct box *b = *state;
	struct sandbox_runner *before;
	struct lower v[3];
	struct worker w[4];
	pthread_t t[4];
	unsigned good = 0;

	if (!works_here(b))
		SKIP_KERNEL(NO_EROFS);
	before = own_runner(b);
	v[0] = lower_of_dir(dup(b->root));
	v[1] = sandbox_box_index(b, "aa", "1\n");
	v[2] = sandbox_box_index(b, "bb", "2\n");
	for (unsigned i = 0; i < ARRAY_LEN(w); i++) {
		w[i] = (struct worker){b, v, i, 0};
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < ARRAY_LEN(w); i++) {
		pthread_join(t[i], NULL);
		good += w[i].good;
	}
	assert_int_equal(good, 5 * ARRAY_LEN(w));
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		lower_clear(&v[i]);
	drop_runner(b, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_stack_classic),
		cmocka_unit_test(test_stack_attached),
		cmocka_unit_test(test_root_attributes),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_500_lowers),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_threads),
	};
	const char *why = sandbox_box_missing();

	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	machine_own_mounts();
	return cmocka_run_group_tests(tests, sandbox_box_setup, sandbox_box_teardown);
}
