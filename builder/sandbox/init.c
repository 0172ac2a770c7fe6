// SPDX-License-Identifier: Apache-2.0
/*
 * PID 1 of a sandbox: a clone of bld that never executes another program, so it allocates nothing
 * and takes no lock (ops.h). The sandbox must not reach its memory, its files, or the binary of bld
 * behind /proc/1/exe: it is not dumpable, and the command has not CAP_SYS_PTRACE. Its command line
 * is overwritten, because anybody may read that. Its memory is that of the forker, which holds
 * little of bld, and the region of this sandbox.
 *
 * It dies with the thread of bld that made the forker: by PR_SET_PDEATHSIG, and by the end of the
 * channel where that came too late. With it the kernel ends every process of the PID namespace.
 */
#include "builder/sandbox/init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "builder/sandbox/channel.h"
#include "builder/sandbox/kernel.h"
#include "builder/sandbox/namespace.h"
#include "builder/sandbox/target.h"

#define COMMAND_STACK 65536
#define KILL_AGAIN    1024 /* processes reaped */
#define STATUS_SETUP  125  /* nobody looks at it: the channel has said what failed */

static const char init_name[] = "bld-init";

static void hide_bld(const struct init_plan *p)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NAME, init_name, 0, 0, 0);
	if (!p->args)
		return;
	memset(p->args, 0, p->args_size);
	if (p->args_size > sizeof(init_name))
		memcpy(p->args, init_name, sizeof(init_name));
}

static void send_failure(const struct ops_state *st, int op, int error)
{
	struct channel_msg m = {.kind = CHANNEL_FAILED, .a = op, .b = error};

	memcpy(m.text, st->detail, sizeof(m.text));
	(void)channel_send(st->slot[OPS_CTL], &m);
}

static _Noreturn void give_up(const struct init_plan *p, int op, int error)
{
	send_failure(&p->state, op, error);
	_exit(STATUS_SETUP);
}

static void tell(const struct ops_state *st, enum channel_kind kind, int a)
{
	struct channel_msg m = {.kind = kind, .a = a};

	(void)channel_send(st->slot[OPS_CTL], &m);
}

static void build(struct init_plan *p)
{
	size_t failed = 0;

	if (ops_run(&p->ops, &p->state, 0, p->ops.command_from, &failed) < 0)
		give_up(p, (int)failed, errno);
}

/* Bld may have died before PR_SET_PDEATHSIG; then nobody holds the other end any more. */
static void check_bld(const struct init_plan *p)
{
	char byte;

	if (recv(p->state.slot[OPS_CTL], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		_exit(STATUS_SETUP);
}

/* Shares the memory of PID 1, which waits until the program is executed; its slots are its own. */
static int command_main(void *arg)
{
	struct init_plan *p = arg;
	struct ops_state st = p->state;
	size_t failed = 0;
	int32_t error;

	memcpy(p->command_slot, st.slot, p->ops.nslot * sizeof(*st.slot));
	st.slot = p->command_slot;
	if (ops_run(&p->ops, &st, p->ops.command_from, p->ops.n, &failed) < 0) {
		send_failure(&st, (int)failed, errno);
		_exit(STATUS_SETUP);
	}
	tell(&st, CHANNEL_READY, 0);
	error = exec_run(&st, p->command);
	if (write(st.slot[OPS_CTL], &error, sizeof(error)) < 0)
		_exit(STATUS_SETUP);
	_exit(126);
}

static pid_t start_command(struct init_plan *p)
{
	static const int used[] = {OPS_STDIN, OPS_STDOUT, OPS_STDERR, OPS_LAUNCH};
	char stack[COMMAND_STACK] __attribute__((aligned(16)));
	pid_t pid = kernel_clone_shared(command_main, p, stack + sizeof(stack));

	if (pid < 0)
		give_up(p, (int)p->ops.command_from, errno);
	/* Readers of the output must see its end when the command's processes are gone. */
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		close(p->state.slot[used[i]]);
	return pid;
}

/* Reap what is there. true: the command has ended, with *status. */
static bool reap(pid_t command, int *status)
{
	bool ended = false;
	int st;
	pid_t pid;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		ended = true;
		*status = st;
	}
	return ended;
}

static void forward(pid_t command, int sig)
{
	if (sig == SIGKILL)
		kill(-1, SIGKILL);
	else if (kill(-command, sig) < 0)
		kill(command, sig); /* not yet in its own session */
}

/* Serve until the command has ended; its wait status. */
static int serve(struct init_plan *p, pid_t command, int sigfd)
{
	struct pollfd fd[2] = {
		{.fd = sigfd, .events = POLLIN}, {.fd = p->state.slot[OPS_CTL], .events = POLLIN}};
	struct signalfd_siginfo ignored;
	struct channel_msg m;
	int status = 0;

	for (;;) {
		if (poll(fd, 2, -1) < 0 && errno != EINTR)
			_exit(STATUS_SETUP);
		if (fd[1].revents) {
			int r = channel_recv(p->state.slot[OPS_CTL], &m);

			if (r == 0)
				_exit(STATUS_SETUP); /* bld is gone */
			if (r == 1 && m.kind == CHANNEL_SIGNAL)
				forward(command, m.a);
		}
		if (fd[0].revents && read(sigfd, &ignored, sizeof(ignored)) > 0 &&
			reap(command, &status))
			return status;
	}
}

/* A fork that is under way ends with the signal, so one kill reaches all; again now and then in
 * case that is not so, not for each of thousands. */
static void kill_rest(void)
{
	int n;

	do {
		kill(-1, SIGKILL);
		for (n = 0; n < KILL_AGAIN && (waitpid(-1, NULL, 0) > 0 || errno == EINTR); n++)
			;
	} while (n == KILL_AGAIN);
}

/* Close all but `keep`, in any order; -1 in it is nothing. */
static void close_but(int *keep, size_t n)
{
	int from = 0;

	for (;;) {
		int next = -1;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= from && (next < 0 || keep[i] < next))
				next = keep[i];
		if (next < 0)
			break;
		if (next > from)
			(void)close_range((unsigned)from, (unsigned)next - 1, 0);
		from = next + 1;
	}
	(void)close_range((unsigned)from, ~0U, 0);
}

/*
 * Unmount before the report: who waits for it uses the directories next, while this process ends.
 * Only file systems that no one else sees, in memory and of nobody's data, are left to that end.
 */
static void clean_up(struct init_plan *p)
{
	struct ops_state *st = &p->state;
	int keep[] = {st->slot[OPS_CTL], st->slot[OPS_PROC], st->slot[OPS_DEV], st->slot[OPS_NULL],
		st->slot[OPS_COVER]};

	if (namespace_leave(st) < 0)
		give_up(p, CHANNEL_OP_CLEANUP, errno);
	target_remove_stubs(st);
	close_but(keep, sizeof(keep) / sizeof(keep[0]));
}

void init_main(void *arg)
{
	struct init_plan *p = arg;
	sigset_t child;
	int sigfd, status;
	pid_t command;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	hide_bld(p);
	build(p);
	check_bld(p);

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigfd = signalfd(-1, &child, SFD_CLOEXEC);
	if (sigfd < 0)
		give_up(p, (int)p->ops.command_from, errno);
	command = start_command(p);
	status = serve(p, command, sigfd);
	kill_rest();
	clean_up(p);
	tell(&p->state, CHANNEL_EXIT, status);
	_exit(0);
}
