// SPDX-License-Identifier: Apache-2.0
#include "builder/pump.h"

#include <poll.h>
#include <signal.h>

#include "store/base/now.h"

#define PUMP_CHUNK   65536
#define PUMP_POLL_MS 100 /* how soon a signal that another thread received is seen */

static void forward_signal(const struct pump *p, uint64_t *asked)
{
	int sig = p->cancelled ? *p->cancelled : 0;

	if (!sig)
		return;
	if (!*asked) {
		*asked = now_monotonic_ms();
		sandbox_signal(p->job, SIGTERM);
	} else if (now_monotonic_ms() - *asked > PUMP_GRACE_MS) {
		sandbox_signal(p->job, SIGKILL);
	}
}

/* false at the end of the stream. */
static bool carry(const struct pump *p, int fd, int stream, char *chunk)
{
	ssize_t n = read(fd, chunk, PUMP_CHUNK);

	if (n > 0)
		p->output(p->ctx, stream, chunk, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

void pump_run(const struct pump *p)
{
	struct pollfd fds[2] = {
		{.fd = p->out_fd, .events = POLLIN},
		{.fd = p->err_fd, .events = POLLIN},
	};
	auto_free char *chunk = malloc(PUMP_CHUNK);
	uint64_t asked = 0;

	while (chunk && (fds[0].fd >= 0 || fds[1].fd >= 0)) {
		int n = poll(fds, 2, PUMP_POLL_MS);
		forward_signal(p, &asked);
		if (n <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents && !carry(p, fds[i].fd, i + 1, chunk))
				fds[i].fd = -1;
	}
}
