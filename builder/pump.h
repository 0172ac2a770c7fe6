/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a sandbox with its output on pipes: carry the output to whoever shows it, and a signal of
 * ours into the sandbox, first as SIGTERM, then, PUMP_GRACE_MS later, SIGKILL. The caller's
 * terminal never gets into a sandbox.
 */
#ifndef BLD_BUILDER_PUMP_H
#define BLD_BUILDER_PUMP_H

#include "builder/sandbox/sandbox.h"

#define PUMP_GRACE_MS 10000

struct pump {
	struct sandbox_runner *runner;
	const volatile int *cancelled; /* signal number once one came; or NULL */
	/* stream 1 = standard output, 2 = standard error */
	void (*output)(void *ctx, int stream, const void *p, size_t n);
	void *ctx;
};

/* Start, carry, wait. stdout_fd and stderr_fd of the spec are not looked at. */
int pump_run(const struct pump *p, const struct sandbox_spec *spec, struct sandbox_result *out,
	struct err **err);

#endif
