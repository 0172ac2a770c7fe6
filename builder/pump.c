// SPDX-License-Identifier: Apache-2.0
#include "builder/pump.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/trash.h"

#define PUMP_CHUNK   65536
#define PUMP_POLL_MS 100 /* how soon a signal that another thread received is seen */

static void forward_signal(const struct pump *p, struct sandbox_job *job, uint64_t *asked)
{
	int sig = p->cancelled ? __atomic_load_n(p->cancelled, __ATOMIC_RELAXED) : 0;

	if (!sig && p->stop)
		sig = __atomic_load_n(p->stop, __ATOMIC_RELAXED);
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

/* false at the end of the stream. */
static bool carry(const struct pump *p, int fd, int stream, char *chunk)
{
	ssize_t n = read(fd, chunk, PUMP_CHUNK);

	if (n > 0)
		p->output(p->ctx, stream, chunk, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* How long to wait for output; 0 once the time is over. */
static int patience(uint64_t deadline)
{
	uint64_t now = deadline ? now_monotonic_ms() : 0;

	if (deadline && now >= deadline)
		return 0;
	return deadline && deadline - now < PUMP_POLL_MS ? (int)(deadline - now) : PUMP_POLL_MS;
}

/* Returns when both ends are closed, which is when nobody in the sandbox can write any more. */
static bool carry_all(const struct pump *p, struct sandbox_job *job, int out_fd, int err_fd)
{
	struct pollfd fds[2] = {
		{.fd = out_fd, .events = POLLIN},
		{.fd = err_fd, .events = POLLIN},
	};
	auto_free char *chunk = mem_alloc(PUMP_CHUNK);
	uint64_t asked = 0, deadline = p->timeout_ms ? now_monotonic_ms() + p->timeout_ms : 0;
	bool late = false;
	struct idle idle = {.next = now_monotonic_ms() + PUMP_TRASH_AFTER_MS};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int wait = patience(late ? 0 : deadline);
		if (wait == 0) {
			late = true;
			sandbox_signal(job, SIGKILL);
			wait = PUMP_POLL_MS;
		}
		int n = poll(fds, 2, wait);
		forward_signal(p, job, &asked);
		if (n == 0 && !asked)
			empty_trash(p, &idle);
		if (n <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents && !carry(p, fds[i].fd, i + 1, chunk))
				fds[i].fd = -1;
	}
	return late;
}

int pump_run(const struct pump *p, const struct sandbox_spec *spec, struct sandbox_result *out,
	bool *late, struct err **err)
{
	int outs[2], errs[2];
	struct sandbox_spec piped = *spec;

	if (pipe2(outs, O_CLOEXEC) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "pipe");
	auto_fd int out_r = outs[0], out_w = outs[1];
	if (pipe2(errs, O_CLOEXEC) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "pipe");
	auto_fd int err_r = errs[0], err_w = errs[1];
	piped.stdout_fd = out_w;
	piped.stderr_fd = err_w;
	/* Through /dev/stdout and /dev/stderr the command opens them anew, as its user. */
	if (spec->uid != 0 && (fchown(out_w, spec->uid, spec->gid) < 0 ||
				      fchown(err_w, spec->uid, spec->gid) < 0))
		return err_sys_kind(err, ERR_SANDBOX, "pipe");
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
