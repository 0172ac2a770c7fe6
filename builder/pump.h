/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carry a sandbox's output to whoever shows it, and a signal of ours into the sandbox: first
 * SIGTERM, SIGKILL after PUMP_GRACE_MS.
 */
#ifndef BLD_BUILDER_PUMP_H
#define BLD_BUILDER_PUMP_H

#include "builder/sandbox/sandbox.h"

#define PUMP_GRACE_MS 10000

struct pump {
	int out_fd; /* read ends, non-blocking is not needed; owned by the caller; -1 = none */
	int err_fd;
	struct sandbox_job *job;
	const volatile int *cancelled; /* or NULL */
	void (*output)(void *ctx, int stream, const void *p, size_t n);
	void *ctx;
};

/* Returns when both ends are closed, which is when nobody in the sandbox can write any more. */
void pump_run(const struct pump *p);

#endif
