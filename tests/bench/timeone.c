// SPDX-License-Identifier: Apache-2.0
/*
 * timeone [-m] LOG COMMAND...: run a command once, print one JSON object: wall and CPU seconds
 * (children that it waited for included), exit status, peak memory as the kernel counts it.
 *
 * With -m memory is also split into anonymous, file-mapped and shared: /proc/PID/status of the
 * command's own process is read every millisecond, and a last time when it exits, with its memory
 * still there (the ptrace exit event). Short peaks between two readings are missed, which is why
 * the kernel's own peak of the sum (VmHWM) stands beside them. Readings cost time: a run with -m
 * is not one whose time counts.
 *
 * Standard output of the command is dropped, standard error is appended to LOG.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct memory {
	long hwm, anon, file, shmem; /* KiB */
};

static void die(const char *what)
{
	perror(what);
	exit(125);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void raise_to(long *peak, const char *text, const char *name)
{
	const char *at = strstr(text, name);
	long v = at ? atol(at + strlen(name)) : 0;

	if (v > *peak)
		*peak = v;
}

static void sample(int fd, struct memory *m)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	if (n <= 0)
		return;
	text[n] = 0;
	raise_to(&m->hwm, text, "VmHWM:");
	raise_to(&m->anon, text, "RssAnon:");
	raise_to(&m->file, text, "RssFile:");
	raise_to(&m->shmem, text, "RssShmem:");
}

/* Until the command has ended; every stop but the exit event is a signal to pass on. */
static void watch(pid_t pid, struct memory *m, int *status, struct rusage *use)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	for (;;) {
		pid_t p = wait4(pid, status, WNOHANG, use);
		if (p < 0)
			die("wait4");
		if (p == 0) {
			sample(fd, m);
			nanosleep(&pause, NULL);
			continue;
		}
		if (!WIFSTOPPED(*status))
			break;
		long signal = WSTOPSIG(*status);
		if (*status >> 16) {
			sample(fd, m);
			signal = 0;
		}
		ptrace(PTRACE_CONT, pid, NULL, signal);
	}
	close(fd);
}

/* The command waits for a byte, so that it is watched from its first instruction. */
static pid_t start(char **argv, int log, int gate)
{
	pid_t pid = gate < 0 ? vfork() : fork();
	int null;
	char c;

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	if (gate >= 0 && read(gate, &c, 1) != 1)
		_exit(126);
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(log, 2);
	execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	int memory = argc > 1 && strcmp(argv[1], "-m") == 0, gate[2] = {-1, -1}, status = 0;
	struct memory m = {0};
	struct rusage use;

	argv += 1 + memory;
	if (argc < 3 + memory) {
		fputs("usage: timeone [-m] LOG COMMAND...\n", stderr);
		return 125;
	}
	int log = open(argv[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log < 0 || (memory && pipe2(gate, O_CLOEXEC) < 0))
		die(argv[0]);
	double began = now();
	pid_t pid = start(argv + 1, log, gate[0]);
	if (memory) {
		if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT) < 0 ||
			write(gate[1], "g", 1) != 1)
			die("ptrace");
		watch(pid, &m, &status, &use);
	} else if (wait4(pid, &status, 0, &use) < 0) {
		die("wait4");
	}
	double wall = now() - began;
	printf("{\"wall_s\": %.6f, \"cpu_s\": %.6f, \"status\": %d, \"maxrss_kib\": %ld", wall,
		(double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
			(double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), use.ru_maxrss);
	if (memory)
		printf(", \"hwm_kib\": %ld, \"anon_kib\": %ld, \"file_kib\": %ld, \"shmem_kib\": "
		       "%ld",
			m.hwm, m.anon, m.file, m.shmem);
	puts("}");
	return 0;
}
