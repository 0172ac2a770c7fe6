// SPDX-License-Identifier: Apache-2.0
/*
 * Starts a sandbox and carries its output until it ends, in one thread: poll() on two pipes and the
 * end of the sandbox. Signals and time-outs are looked at between; a signal becomes SIGTERM for the
 * command, and SIGKILL when the grace is over. While the command is silent the trash of the store
 * is emptied in small slices.
 */
#include "builder/run/pump.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "store/base/cancel.h"
#include "store/base/deadline.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/trash.h"

#define PUMP_CHUNK   65536
#define PUMP_POLL_MS 100 /* how soon a signal that another thread received is seen */

static void forward_signal(const struct pump *p, struct sandbox_job *job, uint64_t *asked)
{
	int sig = cancel_asked(p->cancelled);

	if (!sig)
		sig = cancel_asked(p->stop);
	if (!sig)
		return;
	if (sig < 0) {
		sandbox_signal(job, SIGKILL);
	} else if (!*asked) {
		*asked = now_monotonic_ms();
		sandbox_signal(job, SIGTERM);
	} else if (now_monotonic_ms() - *asked > PUMP_GRACE_MS) {
		sandbox_signal(job, SIGKILL);
	}
}

/* What is done while nothing else is to be done. */
struct idle {
	uint64_t next; /* time of the next slice */
	size_t deleted;
};

static void empty_trash(const struct pump *p, struct idle *x)
{
	uint64_t now = now_monotonic_ms();

	if (!p->store || x->deleted >= PUMP_TRASH_MAX || now < x->next)
		return;
	size_t n = trash_slice(p->store, PUMP_TRASH_SLICE);
	x->deleted = n < PUMP_TRASH_SLICE ? PUMP_TRASH_MAX : x->deleted + n;
	x->next = now + PUMP_TRASH_EVERY_MS;
}

/* false at the end of the stream. Somebody else may have read what poll() told of. */
static bool carry(const struct pump *p, int fd, int stream, char *chunk, size_t most)
{
	ssize_t n = read(fd, chunk, most < PUMP_CHUNK ? most : PUMP_CHUNK);

	if (n > 0)
		p->output(p->ctx, stream, chunk, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* What is in the pipe now: the step has ended, and who got its output from it is not waited for. */
static void carry_rest(const struct pump *p, int fd, int stream, char *chunk)
{
	int left = 0;

	if (fd < 0 || ioctl(fd, FIONREAD, &left) < 0)
		return;
	for (int n; left > 0; left -= n) {
		n = left < PUMP_CHUNK ? left : PUMP_CHUNK;
		if (!carry(p, fd, stream, chunk, (size_t)n))
			return;
	}
}

/* Returns when everything in the sandbox is dead. */
static bool carry_all(const struct pump *p, struct sandbox_job *job, int out_fd, int err_fd)
{
	struct pollfd fds[3] = {
		{.fd = out_fd, .events = POLLIN},
		{.fd = err_fd, .events = POLLIN},
		{.fd = sandbox_end_fd(job), .events = POLLIN},
	};
	auto_free char *chunk = mem_alloc(PUMP_CHUNK);
	struct deadline end = deadline_limit(p->timeout_ms);
	uint64_t asked = 0;
	bool late = false;
	struct idle idle = {.next = now_monotonic_ms() + PUMP_TRASH_AFTER_MS};

	while (!fds[2].revents) {
		int wait = late ? PUMP_POLL_MS : deadline_poll(end, PUMP_POLL_MS);
		if (wait == 0) {
			late = true;
			sandbox_signal(job, SIGKILL);
			wait = PUMP_POLL_MS;
		}
		int n = poll(fds, 3, wait);
		forward_signal(p, job, &asked);
		if (n == 0 && !asked)
			empty_trash(p, &idle);
		if (n <= 0) {
			fds[2].revents = 0;
			continue;
		}
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents &&
				!carry(p, fds[i].fd, i + 1, chunk, PUMP_CHUNK))
				fds[i].fd = -1;
	}
	for (int i = 0; i < 2; i++)
		carry_rest(p, fds[i].fd, i + 1, chunk);
	return late;
}

/* A pipe for one stream. Our end does not block: the other may be read from as well. */
static int open_pipe(const struct sandbox_spec *spec, int *ours, int *theirs, struct err **err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "pipe");
	*ours = ends[0];
	*theirs = ends[1];
	/* Through /dev/stdout and /dev/stderr the command opens them anew, as its user. */
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ||
		(spec->uid != 0 && fchown(*theirs, spec->uid, spec->gid) < 0))
		return err_sys_kind(err, ERR_SANDBOX, "pipe");
	return 0;
}

int pump_run(const struct pump *p, const struct sandbox_spec *spec, struct sandbox_result *out,
	bool *late, struct err **err)
{
	auto_fd int out_r = -1, out_w = -1, err_r = -1, err_w = -1;
	struct sandbox_spec piped = *spec;

	if (open_pipe(spec, &out_r, &out_w, err) < 0 || open_pipe(spec, &err_r, &err_w, err) < 0)
		return -1;
	piped.stdout_fd = out_w;
	piped.stderr_fd = err_w;
	struct sandbox_job *job = sandbox_start(p->runner, &piped, err);
	close(TAKE_FD(out_w));
	close(TAKE_FD(err_w));
	if (!job)
		return -1;
	if (p->started)
		p->started(p->ctx);
	bool over = carry_all(p, job, out_r, err_r);
	if (late)
		*late = over;
	return sandbox_wait(job, out, err);
}
