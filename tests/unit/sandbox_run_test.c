// SPDX-License-Identifier: Apache-2.0
/* Sandboxes that run a command: its result, its environment and identity, and its end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdlib.h>

#include "builder/sandbox/sandbox.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "tests/support/sandbox_box.h"

#define WAIT_MS 20000

static void expect(struct box *b, const char *script, const char *text)
{
	char *got = sandbox_box_sh(b, 0, script);

	assert_string_equal(got, text);
	free(got);
}

static void run_argv(struct box *b, struct box_run *r, const char *a0, const char *a1)
{
	sandbox_box_prepare(b, r, "");
	r->argv[0] = a0;
	r->argv[1] = a1;
	r->argv[2] = NULL;
	sandbox_box_run(b, r);
}

static void test_output(void **state)
{
	expect(*state, "echo hello; echo err >&2", "hello\nerr\n");
}

static void test_exit_codes(void **state)
{
	static const int codes[] = {0, 1, 2, 42, 125, 126, 127, 255};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct box_run r;
		char script[32];

		snprintf(script, sizeof script, "exit %d", codes[i]);
		sandbox_box_prepare(*state, &r, script);
		sandbox_box_run(*state, &r);
		assert_int_equal(r.res.exit_code, codes[i]);
		assert_int_equal(r.res.signal, 0);
		assert_int_equal(r.res.exec_errno, 0);
		assert_false(r.res.oom);
		sandbox_box_done(&r);
	}
}

static void test_killed_by_signal(void **state)
{
	static const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGPIPE};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct box_run r;
		char script[32];

		snprintf(script, sizeof script, "kill -%d $$", signals[i]);
		sandbox_box_prepare(*state, &r, script);
		sandbox_box_run(*state, &r);
		assert_int_equal(r.res.signal, signals[i]);
		assert_int_equal(r.res.exit_code, 128 + signals[i]);
		assert_false(r.res.oom);
		sandbox_box_done(&r);
	}
}

static void test_exec_errors(void **state)
{
	struct box *b = *state;
	struct {
		const char *name;
		int error, code;
	} t[] = {
		{"nothing", ENOENT, 127},
		{"/nothing", ENOENT, 127},
		{"/bin/nothing/x", ENOENT, 127},
		{"/etc/passwd/x", ENOTDIR, 127},
		{"/etc/passwd", EACCES, 126},
		{"/etc", EACCES, 126},
		{"/tmp/script", ENOEXEC, 126},
		{"/tmp/nointerp", ENOENT, 127},
	};

	sandbox_box_write(b->root, "tmp/script", "echo no interpreter line\n", 0755);
	sandbox_box_write(b->root, "tmp/nointerp", "#!/no/such/thing\n", 0755);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct box_run r;

		run_argv(b, &r, t[i].name, NULL);
		assert_int_equal(r.res.exec_errno, t[i].error);
		assert_int_equal(r.res.exit_code, t[i].code);
		assert_int_equal(r.res.signal, 0);
		sandbox_box_done(&r);
	}
}

/* As execvp: a name that cannot be executed does not hide one later in PATH. */
static void test_path_search(void **state)
{
	static const char *const env[] = {"A=b", "PATH=/nowhere:/tmp/a:/tmp/b::/bin", NULL};
	struct box *b = *state;
	struct box_run r;

	sandbox_box_write(b->root, "tmp/a/tool", "#!/bin/sh\necho a\n", 0644);
	sandbox_box_write(b->root, "tmp/b/tool", "#!/bin/sh\necho b \"$0\" \"$@\"\n", 0755);
	sandbox_box_write(b->root, "root/here", "#!/bin/sh\necho here\n", 0755);
	sandbox_box_prepare(b, &r, "");
	r.argv[0] = "tool";
	r.argv[1] = "x y";
	r.argv[2] = NULL;
	r.spec.envp = env;
	sandbox_box_run(b, &r);
	assert_string_equal(r.text, "b /tmp/b/tool x y\n");
	sandbox_box_done(&r);

	sandbox_box_prepare(b, &r, "");
	r.argv[0] = "here";
	r.argv[1] = NULL;
	r.spec.envp = env;
	r.spec.cwd = "/root";
	sandbox_box_run(b, &r);
	assert_string_equal(r.text, "here\n");
	sandbox_box_done(&r);
}

static void test_environment_exact(void **state)
{
	static const char *const env[] = {"ONE=1", "TWO=a b", "EMPTY=", NULL};
	struct box_run r;

	sandbox_box_prepare(*state, &r, "");
	r.argv[0] = "/bin/env";
	r.argv[1] = NULL;
	r.spec.envp = env;
	sandbox_box_run(*state, &r);
	assert_string_equal(r.text, "ONE=1\nTWO=a b\nEMPTY=\n");
	sandbox_box_done(&r);
}

static void test_cwd(void **state)
{
	struct box_run r;
	char *upper;

	sandbox_box_prepare(*state, &r, "pwd; stat -c '%a %u %g' . ..");
	r.spec.cwd = "/made/for/me";
	sandbox_box_run(*state, &r);
	assert_string_equal(r.text, "/made/for/me\n755 0 0\n755 0 0\n");
	sandbox_box_done(&r);
	upper = sandbox_box_upper(*state);
	/* etc: copied up for mount targets, unchanged otherwise */
	assert_string_equal(upper, "./etc\n./made\n./made/for\n./made/for/me\n");
	free(upper);
}

/* No descriptor of bld is a way out (CVE-2024-21626). */
static void test_cwd_never_outside(void **state)
{
	static const char *const bad[] = {"/proc/self/fd/3", "/proc/self/fd/8/x",
		"/proc/self/cwd/x", "/proc/1/root", "/proc/self/root/tmp", "/bin/busybox",
		"/bin/busybox/x"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct box_run r;
		struct err *err = NULL;
		int out;

		sandbox_box_prepare(*state, &r, "ls ../../..");
		r.spec.cwd = bad[i];
		assert_null(sandbox_box_start(*state, &r, &out, &err));
		assert_int_equal(err_get_kind(err), ERR_SANDBOX);
		assert_non_null(strstr(err_text(err), bad[i]));
		err_free(err);
	}
}

static void test_identity(void **state)
{
	static const uint32_t groups[] = {1000, 7, 44};
	struct box_run r;

	expect(*state, "id -u; id -g; id -G", "0\n0\n0\n");
	sandbox_box_prepare(*state, &r,
		"id -u; id -g; id -G; grep -E '^(Uid|Gid|Groups|Cap.*):' /proc/self/status; "
		"touch /x");
	r.spec.uid = 1234;
	r.spec.gid = 1000;
	r.spec.groups = groups;
	r.spec.ngroups = ARRAY_LEN(groups);
	sandbox_box_run(*state, &r);
	assert_string_equal(r.text,
		"1234\n1000\n1000 7 44\n"
		"Uid:\t1234\t1234\t1234\t1234\nGid:\t1000\t1000\t1000\t1000\nGroups:\t7 44 1000 \n"
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
		"CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n"
		"touch: /x: Permission denied\n");
	assert_int_equal(r.res.exit_code, 1);
	sandbox_box_done(&r);
}

static void test_capabilities(void **state)
{
	const char *script = "grep -E '^(Cap.*|NoNewPrivs|Seccomp):' /proc/self/status";

	expect(*state, script,
		"CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
		"CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:"
		"\t2\n");
}

static void test_process_state(void **state)
{
	expect(*state, "umask; ulimit -c; ulimit -H -c; pwd", "0022\n0\n0\n/\n");
	/* A process group and session of its own, no terminal, nothing blocked or ignored. */
	expect(*state, "cut -d' ' -f5,6,7 /proc/$$/stat", "2 2 0\n");
	/* exec: a shell ignores SIGQUIT in what it starts */
	expect(*state, "trap - QUIT; exec grep -E '^Sig(Blk|Ign)' /proc/self/status",
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

/* ls opens the directory itself: that is the fourth. */
static void test_no_leaked_descriptors(void **state)
{
	int extra[8];

	for (size_t i = 0; i < ARRAY_LEN(extra); i++)
		extra[i] = open("/", O_RDONLY | O_DIRECTORY); /* not even close-on-exec */
	expect(*state, "exec ls /proc/self/fd", "0\n1\n2\n3\n");
	expect(*state, "readlink /proc/self/fd/0", "/dev/null\n");
	for (size_t i = 0; i < ARRAY_LEN(extra); i++)
		close(extra[i]);
}

static void test_stdin(void **state)
{
	struct box_run r;
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write(p[1], "typed\n", 6), 6);
	close(p[1]);
	sandbox_box_prepare(*state, &r, "cat");
	r.spec.stdin_fd = p[0];
	sandbox_box_run(*state, &r);
	close(p[0]);
	assert_string_equal(r.text, "typed\n");
	sandbox_box_done(&r);
}

static void test_names(void **state)
{
	expect(*state, "hostname; cat /etc/hostname; cat /proc/sys/kernel/domainname",
		"bld\nbld\n\n");
}

/* PID 1 is not bld to look at, and the namespace holds nothing else. */
static void test_pid_namespace(void **state)
{
	expect(*state, "echo $$; cat /proc/1/comm; tr '\\0' '\\n' < /proc/1/cmdline | head -n1",
		"2\nbld-init\nbld-init\n");
	expect(*state, "exec ps -o pid", "PID\n    1\n    2\n");
	expect(*state, "ls /proc/1/task | wc -l", "1\n");
}

static void test_orphans_are_reaped_and_killed(void **state)
{
	char *upper;

	/* Zombies of orphans go away while the command runs. */
	expect(*state,
		"sh -c '(true) & exit'; sh -c 'sh -c \"exit 3\" &'; i=0; "
		"while [ $i -lt 200 ] && grep -q '^State:.*Z' /proc/[0-9]*/status 2>/dev/null;"
		"do i=$((i+1)); sleep 0.01; done; [ $i -lt 200 ] && echo none",
		"none\n");
	expect(*state, "setsid nohup sh -c 'sleep 1; echo late > /late' >/dev/null 2>&1 & exit 0",
		"");
	usleep(1300000);
	upper = sandbox_box_upper(*state);
	assert_string_equal(upper, "./etc\n");
	free(upper);
}

static void test_parallel_jobs(void **state)
{
	enum { JOBS = 6 };
	struct box_run r[JOBS];
	struct sandbox_job *job[JOBS];
	int out[JOBS], scratch[JOBS];
	struct err *err = NULL;

	for (int i = 0; i < JOBS; i++) {
		struct box *b = *state;
		char script[64];

		snprintf(script, sizeof script, "sleep 0.2; echo %d > /f; exit %d", i, i);
		sandbox_box_prepare(b, &r[i], script);
		scratch[i] = b->scratch;
		b->scratch = -1;
		job[i] = sandbox_box_start(b, &r[i], &out[i], &err);
		assert_non_null(job[i]);
	}
	for (int i = JOBS - 1; i >= 0; i--) {
		char got[8] = "";
		int fd;

		assert_int_equal(sandbox_wait(job[i], &r[i].res, &err), 0);
		assert_int_equal(r[i].res.exit_code, i);
		close(out[i]);
		fd = openat(scratch[i], "upper/f", O_RDONLY);
		assert_int_equal(read(fd, got, sizeof got), 2);
		assert_int_equal(got[0], '0' + i);
		close(fd);
		close(scratch[i]);
	}
}

/* Read until the sandbox says that it is there. */
static void await(int fd, const char *word)
{
	char got[64] = "";
	size_t n = 0;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (!strstr(got, word) && n < sizeof got - 1) {
		ssize_t k;

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		k = read(fd, got + n, sizeof got - 1 - n);
		assert_true(k > 0);
		n += (size_t)k;
		got[n] = '\0';
	}
}

/* true: end of file comes, so nobody holds the write end any more. */
static bool ends(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c[256];
	ssize_t n = 1;

	while (n > 0 && poll(&p, 1, WAIT_MS) == 1)
		n = read(fd, c, sizeof c);
	return n == 0;
}

static void test_signal_is_forwarded(void **state)
{
	struct box_run r;
	struct err *err = NULL;
	int out = -1;
	struct sandbox_job *job;

	sandbox_box_prepare(
		*state, &r, "trap 'echo got; exit 7' TERM; echo up; while :; do sleep 0.05; done");
	job = sandbox_box_start(*state, &r, &out, &err);
	assert_non_null(job);
	await(out, "up");
	sandbox_signal(job, SIGTERM);
	await(out, "got");
	assert_int_equal(sandbox_wait(job, &r.res, &err), 0);
	assert_int_equal(r.res.exit_code, 7);
	assert_true(ends(out));
	close(out);
}

static void test_kill_ends_all(void **state)
{
	struct box_run r;
	struct err *err = NULL;
	int out = -1;
	struct sandbox_job *job;

	sandbox_box_prepare(*state, &r,
		"trap '' TERM INT HUP; setsid sleep 1000 & sleep 1000 & echo up; sleep 1000");
	job = sandbox_box_start(*state, &r, &out, &err);
	assert_non_null(job);
	await(out, "up");
	sandbox_signal(job, SIGKILL);
	assert_int_equal(sandbox_wait(job, &r.res, &err), 0);
	assert_int_equal(r.res.signal, SIGKILL);
	assert_int_equal(r.res.exit_code, 137);
	assert_false(r.res.oom);
	assert_true(ends(out));
	close(out);
}

static void test_runner_free_ends_all(void **state)
{
	struct box_run r;
	struct err *err = NULL;
	int out = -1;
	struct box *b = *state;
	struct sandbox_runner *old = b->runner;

	b->runner = sandbox_runner_new(&err);
	assert_non_null(b->runner);
	sandbox_box_prepare(b, &r, "setsid sleep 1000 & echo up; sleep 1000");
	assert_non_null(sandbox_box_start(b, &r, &out, &err));
	await(out, "up");
	sandbox_runner_free(b->runner);
	b->runner = old;
	assert_true(ends(out));
	close(out);
}

static char *mounts(void)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	assert_int_equal(fs_read_file(AT_FDCWD, "/proc/self/mountinfo", BUF_TEXT_MAX, &b, NULL), 0);
	return buf_take(&b);
}

/* kill -9 of the program that runs sandboxes: at any time, and nothing is left. */
static void test_kill_of_bld(void **state)
{
	static const unsigned delay_us[] = {
		0, 500, 1000, 2000, 3000, 5000, 8000, 12000, 20000, 100000};
	struct box *b = *state;
	char *table;

	for (size_t i = 0; i < ARRAY_LEN(delay_us); i++) {
		struct box_run r;
		int p[2], ready[2];
		pid_t pid;

		assert_int_equal(pipe2(p, O_CLOEXEC), 0);
		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		sandbox_box_prepare(b, &r, "setsid sleep 1000 & sleep 1000");
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct sandbox_runner *runner = sandbox_runner_new(NULL);
			struct sandbox_job *job;

			r.spec.stdout_fd = r.spec.stderr_fd = p[1];
			if (write(ready[1], "x", 1) != 1 || !runner)
				_exit(1);
			job = sandbox_start(runner, &r.spec, NULL);
			close(p[1]);
			if (job)
				(void)sandbox_wait(job, &r.res, NULL);
			_exit(1);
		}
		close(p[1]);
		close(ready[1]);
		await(ready[0], "x");
		usleep(delay_us[i]);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_true(ends(p[0]));
		close(p[0]);
		close(ready[0]);
	}
	table = mounts();
	assert_null(strstr(table, b->path));
	free(table);
}

static void test_bad_specs(void **state)
{
	struct box *b = *state;
	struct box_run r;
	struct err *err = NULL;
	const char *nothing[] = {NULL};
	int out;

	sandbox_box_prepare(b, &r, "true");
	r.spec.argv = nothing;
	assert_null(sandbox_box_start(b, &r, &out, &err));
	assert_string_equal(err_text(err), "there is no command");
	err_free(err);
	err = NULL;

	sandbox_box_prepare(b, &r, "true");
	r.spec.cwd = "relative";
	assert_null(sandbox_box_start(b, &r, &out, &err));
	assert_non_null(strstr(err_text(err), "relative"));
	err_free(err);
	err = NULL;

	sandbox_box_prepare(b, &r, "true");
	r.spec.lowers.n = SANDBOX_LOWERS_MAX + 1;
	assert_null(sandbox_box_start(b, &r, &out, &err));
	assert_int_equal(err_get_kind(err), ERR_LIMIT);
	err_free(err);
}

static void test_describe(void **state)
{
	auto_strlist struct strlist l = {0};

	(void)state;
	sandbox_describe(&l);
	assert_true(strlist_has(&l, "root: yes"));
	assert_true(strlist_has(&l, "openat2: yes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_killed_by_signal),
		cmocka_unit_test(test_exec_errors),
		cmocka_unit_test(test_path_search),
		cmocka_unit_test(test_environment_exact),
		cmocka_unit_test(test_cwd),
		cmocka_unit_test(test_cwd_never_outside),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_process_state),
		cmocka_unit_test(test_no_leaked_descriptors),
		cmocka_unit_test(test_stdin),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_pid_namespace),
		cmocka_unit_test(test_orphans_are_reaped_and_killed),
		cmocka_unit_test(test_parallel_jobs),
		cmocka_unit_test(test_signal_is_forwarded),
		cmocka_unit_test(test_kill_ends_all),
		cmocka_unit_test(test_runner_free_ends_all),
		cmocka_unit_test(test_kill_of_bld),
		cmocka_unit_test(test_bad_specs),
		cmocka_unit_test(test_describe),
	};
	const char *why = sandbox_box_missing();

	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, sandbox_box_setup, sandbox_box_teardown);
}
