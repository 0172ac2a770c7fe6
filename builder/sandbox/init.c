// SPDX-License-Identifier: Apache-2.0
/*
 * The child that sets a sandbox up: a clone of bld, the first process of the new namespaces, so it
 * allocates nothing and takes no lock (ops.h). No command runs while it is bld: it executes PID 1
 * (pid1.h), which starts the command. What has to be done when all is over takes privileges, and
 * descriptors that no command may reach, so these go to bld before.
 *
 * It dies with the thread of bld that made the forker: by PR_SET_PDEATHSIG, and by the end of the
 * channel where that came too late. With it the kernel ends every process of the PID namespace.
 */
#include "builder/sandbox/init.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "builder/sandbox/channel.h"

#define STATUS_SETUP 125 /* nobody looks at it: the channel has said what failed */

static _Noreturn void init_give_up(const struct init_plan *p, size_t op, int error)
{
	struct channel_msg m = {.kind = CHANNEL_FAILED, .a = (int)op, .b = error};

	memcpy(m.text, p->state.detail, sizeof m.text);
	(void)channel_send(p->state.slot[OPS_CTL], &m, NULL, 0);
	_exit(STATUS_SETUP);
}

static void init_walk(struct init_plan *p, size_t from, size_t to)
{
	size_t failed = 0;

	if (ops_run(&p->ops, &p->state, from, to, &failed) < 0)
		init_give_up(p, failed, errno);
}

/* The root, and where stubs are to be removed. */
static void init_hand_over(const struct init_plan *p)
{
	const struct ops_state *st = &p->state;
	int fd[CHANNEL_FDS] = {st->slot[OPS_ROOT]};
	size_t n = 1;

	for (size_t i = 0; i <= st->nstub; i++) {
		if (n == CHANNEL_FDS || i == st->nstub) {
			struct channel_msg m = {.kind = CHANNEL_HELD, .a = (int)(st->nstub - i)};

			if (channel_send(st->slot[OPS_CTL], &m, fd, n) < 0)
				init_give_up(p, p->ops.confine_from, errno);
			n = 0;
		}
		if (i < st->nstub)
			fd[n++] = st->stub[i].parent;
	}
}

/* The change of the user has cleared it, and bld may have died before: then nobody holds the other
 * end any more. */
static void die_with_bld(const struct init_plan *p)
{
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (recv(p->state.slot[OPS_CTL], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		_exit(STATUS_SETUP);
}

void init_main(void *arg)
{
	struct init_plan *p = arg;
	int32_t error;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	init_walk(p, 0, p->ops.confine_from);
	init_hand_over(p);
	init_walk(p, p->ops.confine_from, p->ops.n);
	die_with_bld(p);
	error = exec_run(&p->state, p->command);
	(void)send(p->state.slot[OPS_CTL], &error, sizeof error, MSG_NOSIGNAL);
	_exit(STATUS_SETUP);
}
