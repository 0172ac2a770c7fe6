// SPDX-License-Identifier: Apache-2.0
/* What children get and do not get, how they end, and that every wait for them has an end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include <pthread.h>

#include "store/base/child.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/base/thread.h"
#include "tests/support/tempdir.h"

#define LONG_MS 60000 /* a limit that is never reached */

static char sh[] = "/bin/sh", dash_c[] = "-c";

/* What a script said, at most `max` bytes of it. */
static struct buf Out, Said;

static enum child_end run(struct child_spec spec, struct child_talk talk, char *script, int *value)
{
	spec.argv = (char *[]){sh, dash_c, script, NULL};
	spec.dir = spec.dir ? spec.dir : AT_FDCWD;
	talk.limit_ms = talk.limit_ms ? talk.limit_ms : LONG_MS;
	buf_reset(&Out);
	buf_reset(&Said);
	return child_run(&spec, &talk, value);
}

/* The usual: what it says on standard output is looked at. */
static void says(struct child_spec spec, char *script, const char *want)
{
	int value;

	assert_int_equal(run(spec, (struct child_talk){.out = &Out}, script, &value), CHILD_ENDED);
	assert_string_equal(Out.data, want);
	assert_int_equal(value, 0);
}

static int setup(void **state)
{
	buf_init(&Out, (size_t)4 << 20);
	buf_init(&Said, 100);
	return tempdir_setup(state);
}

static int teardown(void **state)
{
	buf_clear(&Out);
	buf_clear(&Said);
	return tempdir_teardown(state);
}

static void test_status(void **state)
{
	const struct child_spec spec = {0};
	const struct child_talk talk = {.out = &Out, .said = &Said};
	char three[] = "echo out; echo err >&2; exit 3", killed[] = "kill -9 $$";
	int value;

	(void)state;
	assert_int_equal(run(spec, talk, three, &value), CHILD_ENDED);
	assert_int_equal(value, 3);
	assert_string_equal(Out.data, "out\n");
	assert_string_equal(Said.data, "err\n");
	assert_int_equal(run(spec, talk, killed, &value), CHILD_ENDED);
	assert_int_equal(value, 128 + SIGKILL);
}

static int start(char *program, struct child *c)
{
	const struct child_spec spec = {.argv = (char *[]){program, NULL}, .dir = AT_FDCWD};

	return child_start(&spec, (const int[]){-1, -1, -1}, c);
}

static void test_no_exec(void **state)
{
	struct tempdir *t = *state;
	auto_free char *none = mem_printf("%s/none", t->path);
	auto_free char *text = mem_printf("%s/text", t->path);
	auto_free char *old = mem_strdup(getenv("PATH"));
	char name[] = "child-test-program", plain[] = "text";
	struct child c = {0};
	int cwd = open(".", O_PATH | O_CLOEXEC);

	assert_int_equal(start(name, &c), ENOENT);
	assert_int_equal(start(none, &c), ENOENT);
	tempdir_write(t->fd, "text", "hello\n");
	assert_int_equal(chmod(text, 0644), 0);
	assert_int_equal(start(text, &c), EACCES);
	assert_int_equal(setenv("PATH", t->path, 1), 0);
	assert_int_equal(start(plain, &c), EACCES);
	assert_int_equal(chmod(text, 0755), 0);
	assert_int_equal(start(plain, &c), ENOEXEC);
	/* What lies in the directory that somebody works in is no program of PATH. */
	tempdir_write(t->fd, name, "#!/bin/sh\n");
	assert_int_equal(fchmodat(t->fd, name, 0755, 0), 0);
	assert_int_equal(fchdir(t->fd), 0);
	for (const char *const *p = (const char *const[]){".", "", ":/usr/bin", "./", NULL}; *p;
		p++) {
		assert_int_equal(setenv("PATH", *p, 1), 0);
		assert_int_equal(start(name, &c), ENOENT);
	}
	assert_int_equal(setenv("PATH", t->path, 1), 0);
	assert_int_equal(start(name, &c), 0);
	assert_int_equal(c.pid > 0, 1);
	child_stop(&c);
	assert_int_equal(c.pid, 0);
	assert_int_equal(child_stop(&c), 0);
	assert_int_equal(setenv("PATH", old, 1), 0);
	assert_int_equal(fchdir(cwd), 0);
	close(cwd);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Signals come all the time meanwhile: the limit holds, and is not reached early. */
static void test_limit(void **state)
{
	const struct sigaction act = {.sa_handler = on_alarm}; /* no SA_RESTART */
	const struct itimerval often = {{.tv_usec = 5000}, {.tv_usec = 5000}}, never = {0};
	char *const scripts[] = {(char[]){"exec sleep 1000"},
		(char[]){"exec >&- 2>&-; exec sleep 1000"}, /* nothing to listen to */
		(char[]){"trap '' TERM; sleep 1000 & wait"}};
	struct sigaction old;
	int value;

	(void)state;
	sigaction(SIGALRM, &act, &old);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		uint64_t began = now_monotonic_ms();
		enum child_end end = run((struct child_spec){.session = true},
			(struct child_talk){.out = &Out, .said = &Said, .limit_ms = 100},
			scripts[i], &value);
		assert_int_equal(end, CHILD_LATE);
		assert_in_range(now_monotonic_ms() - began, 100, LONG_MS);
	}
	says((struct child_spec){0}, (char[]){"sleep 0.05; echo slow"}, "slow\n");
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
}

static void *ask(void *flag)
{
	atomic_store((atomic_int *)flag, 1);
	return NULL;
}

static void test_cancel(void **state)
{
	atomic_int flag = 0;
	pthread_t other;
	int value;

	(void)state;
	assert_int_equal(thread_start(&other, ask, &flag), 0);
	assert_int_equal(
		run((struct child_spec){.session = true}, (struct child_talk){.cancelled = &flag},
			(char[]){"sleep 1000 & wait"}, &value),
		CHILD_CANCELLED);
	pthread_join(other, NULL);
}

static void test_output(void **state)
{
	const struct child_spec spec = {.session = true};
	struct buf small;
	int value;

	(void)state;
	buf_init(&small, 1000);
	assert_int_equal(
		run(spec, (struct child_talk){.out = &small}, (char[]){"exec yes"}, &value),
		CHILD_TALKATIVE);
	buf_reset(&small);
	small.full = false;
	assert_int_equal(run(spec, (struct child_talk){.out = &small},
				 (char[]){"exec head -c 1000 /dev/zero"}, &value),
		CHILD_ENDED);
	assert_int_equal(small.len, 1000);
	buf_clear(&small);
	/* Of its messages the first bytes are kept, and it is not stopped by a full pipe. */
	assert_int_equal(run(spec, (struct child_talk){.said = &Said},
				 (char[]){"yes abcde | head -c 300000 >&2; exit 4"}, &value),
		CHILD_ENDED);
	assert_int_equal(value, 4);
	assert_int_equal(Said.len, 100);
	assert_memory_equal(Said.data, "abcde\nabcd", 10);
	/* Both at once, and more of each than a pipe takes. */
	assert_int_equal(run(spec, (struct child_talk){.out = &Out, .said = &Said},
				 (char[]){"head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; "
					  "head -c 300000 /dev/zero"},
				 &value),
		CHILD_ENDED);
	assert_int_equal(Out.len, 600000);
	/* Who is not listened to meets no closed pipe. */
	assert_int_equal(run(spec, (struct child_talk){0}, (char[]){"echo a; echo b >&2"}, &value),
		CHILD_ENDED);
	assert_int_equal(value, 0);
}

static void test_input(void **state)
{
	const size_t len = (size_t)1 << 20;
	auto_free char *much = mem_alloc(len);
	struct child_talk talk = {.input = much, .input_len = len, .out = &Out};
	const struct child_spec spec = {0};
	sigset_t waiting;
	int value;

	(void)state;
	memset(much, 'x', len);
	assert_int_equal(run(spec, talk, (char[]){"exec cat"}, &value), CHILD_ENDED);
	assert_int_equal(Out.len, len);
	assert_memory_equal(Out.data, much, len);
	/* SIGPIPE would end this program. */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(
			run(spec, talk, (char[]){"exec <&-; echo unread"}, &value), CHILD_ENDED);
		assert_string_equal(Out.data, "unread\n");
	}
	sigpending(&waiting);
	assert_false(sigismember(&waiting, SIGPIPE));
	talk.input_len = 0;
	assert_int_equal(run(spec, talk, (char[]){"cat; echo end"}, &value), CHILD_ENDED);
	assert_string_equal(Out.data, "end\n");
	talk.input = NULL;
	assert_int_equal(
		run(spec, talk, (char[]){"readlink /proc/self/fd/0"}, &value), CHILD_ENDED);
	assert_string_equal(Out.data, "/dev/null\n");
}

/* Not even what bld itself was started with, at any number. */
static void test_descriptors(void **state)
{
	int open_ones[] = {dup(1), fcntl(1, F_DUPFD, 200), fcntl(1, F_DUPFD, 900)};
	int p[2], keep = fcntl(0, F_DUPFD_CLOEXEC, 100);
	const struct child_spec spec = {
		.argv = (char *[]){sh, dash_c, (char[]){"echo a; echo b >&2"}, NULL},
		.dir = AT_FDCWD};
	struct child c;
	char text[10] = "";

	(void)state;
	says((struct child_spec){0}, (char[]){"cd /proc/self/fd; echo *"},
		"0 1 2 3\n"); /* 3: its own */
	for (size_t i = 0; i < ARRAY_LEN(open_ones); i++)
		close(open_ones[i]);
	/* One of ours may have the number that it is to be, or another one's. */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(dup2(p[1], 0), 0);
	close(p[1]);
	assert_int_equal(child_start(&spec, (const int[]){p[0], 0, 0}, &c), 0);
	assert_int_equal(dup2(keep, 0), 0);
	for (size_t n = 0; n < 4;) {
		ssize_t got = read(p[0], text + n, sizeof text - 1 - n);
		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_string_equal(text, "a\nb\n");
	assert_int_equal(child_stop(&c) & ~(128 + SIGKILL), 0);
	close(p[0]);
	close(keep);
}

/* The signals that this process ignores, as a mask. */
static unsigned long long ignored(void)
{
	unsigned long long mask = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "SigIgn: %llx", &mask) == 1)
			break;
	fclose(f);
	assert_true(mask & (1ull << (SIGHUP - 1)));
	return mask;
}

static void test_surroundings(void **state)
{
	struct tempdir *t = *state;
	char *env[] = {(char[]){"A=b c"}, (char[]){"PATH=/usr/bin:/bin"}, NULL};
	auto_free char *at = mem_printf("%s\n", t->path);
	struct sigaction ignore = {.sa_handler = SIG_IGN}, handle = {.sa_handler = on_alarm},
			 old[3];
	sigset_t block, before;
	auto_free char *want = NULL;
	int value;

	says((struct child_spec){.env = env},
		(char[]){"env | grep -v ^PWD= | grep -v ^_= | sort | grep -v ^SHLVL="},
		"A=b c\nPATH=/usr/bin:/bin\n");
	says((struct child_spec){.dir = t->fd}, (char[]){"pwd -P"}, at);
	/* Signals: none blocked, none caught, none ignored but what the caller's caller ignored.
	 * That may be one that the C library keeps for itself. */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGRTMIN);
	sigaction(SIGPIPE, &ignore, &old[0]);
	sigaction(SIGHUP, &ignore, &old[1]);
	sigaction(SIGUSR1, &handle, &old[2]);
	pthread_sigmask(SIG_BLOCK, &block, &before);
	want = mem_printf("SigBlk:\t0000000000000000\nSigIgn:\t%016llx\nSigCgt:\t%016x\n",
		ignored() & ~(1ull << (SIGPIPE - 1)), 0);
	says((struct child_spec){0},
		(char[]){"exec sed -nE '/^Sig(Blk|Ign|Cgt)/p' /proc/self/status"}, want);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sigaction(SIGPIPE, &old[0], NULL);
	sigaction(SIGHUP, &old[1], NULL);
	sigaction(SIGUSR1, &old[2], NULL);
	says((struct child_spec){.no_new_privs = true},
		(char[]){"grep NoNewPrivs /proc/self/status"}, "NoNewPrivs:\t1\n");
	says((struct child_spec){.session = true},
		(char[]){"read -r p _ _ _ g s _ </proc/self/stat; [ $p = $g ] && [ $p = $s ] && "
			 "echo own"},
		"own\n");
	assert_int_equal(
		run((struct child_spec){.dir = t->fd, .file_max = 1000}, (struct child_talk){0},
			(char[]){"exec head -c 5000 /dev/zero >f"}, &value),
		CHILD_ENDED);
	assert_int_equal(value, 128 + SIGXFSZ);
}

/* Wait for the end of a process that is not our child. */
static void gone(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, LONG_MS), 1);
	close(pidfd);
}

/* What it leaves behind is killed where it had a session, and waited for in no case. */
static void test_left_behind(void **state)
{
	static char script[] = "sleep 1000 & echo $!";
	int value;

	(void)state;
	for (int session = 0; session < 2; session++) {
		assert_int_equal(
			run((struct child_spec){.session = session},
				(struct child_talk){.out = &Out, .said = &Said}, script, &value),
			CHILD_ENDED);
		pid_t pid = (pid_t)strtol(Out.data, NULL, 10);
		assert_true(pid > 1);
		int fd = pidfd_open(pid, 0);
		if (!session)
			assert_int_equal(kill(pid, SIGKILL), 0);
		if (fd >= 0)
			gone(fd);
		else
			assert_int_equal(errno, ESRCH);
	}
}

static void *start_sleep(void *out)
{
	const struct child_spec spec = {
		.argv = (char *[]){sh, dash_c, (char[]){"exec sleep 1000"}, NULL}, .dir = AT_FDCWD};
	struct child c = {0};

	assert_int_equal(child_start(&spec, (const int[]){-1, -1, -1}, &c), 0);
	*(struct child *)out = c;
	return NULL;
}

static void test_thread_ends(void **state)
{
	struct child c = {0};
	pthread_t thread;

	(void)state;
	assert_int_equal(thread_start(&thread, start_sleep, &c), 0);
	pthread_join(thread, NULL);
	gone(pidfd_open(c.pid, 0));
	assert_int_equal(child_stop(&c), 128 + SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_exec, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_output, setup, teardown),
		cmocka_unit_test_setup_teardown(test_input, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_surroundings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thread_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
