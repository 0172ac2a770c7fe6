/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a sandbox with its output on pipes: carry the output to whoever shows it, and a signal of
 * ours into the sandbox, first as SIGTERM, then, PUMP_GRACE_MS later, SIGKILL. The caller's
 * terminal never gets into a sandbox.
 *
 * A command that has run for a while and says nothing leaves time to delete a little of the store's
 * trash. Only a little: ext4 searches long for a free inode near many that were just deleted, and
 * the command may be creating files.
 */
#ifndef BLD_BUILDER_RUN_PUMP_H
#define BLD_BUILDER_RUN_PUMP_H

#include <stdatomic.h>

#include "builder/sandbox/sandbox.h"
#include "store/store.h"

#define PUMP_GRACE_MS 10000

#define PUMP_TRASH_AFTER_MS 2000 /* of running, and then one slice in so many: */
#define PUMP_TRASH_EVERY_MS 1000
#define PUMP_TRASH_SLICE    32  /* files of a slice: less than a millisecond */
#define PUMP_TRASH_MAX      256 /* files for one command */

struct pump {
	struct sandbox_runner *runner;
	const atomic_int *cancelled; /* signal number once one came, negative: to be
					  killed at once; or NULL */
	const atomic_int *stop;      /* the same; or NULL */
	/* stream 1 = standard output, 2 = standard error */
	void (*output)(void *ctx, int stream, const void *p, size_t n);
	void (*started)(void *ctx); /* work for the time in which the command runs; or NULL */
	void *ctx;
	uint64_t timeout_ms; /* after so long everything is killed; 0 = never */
	struct store *store; /* whose trash is emptied a little meanwhile; or NULL */
};

/* Start, carry, wait. stdout_fd and stderr_fd of the spec are not looked at. *late (may be NULL):
 * the time was over and the command was killed. */
int pump_run(const struct pump *p, const struct sandbox_spec *spec, struct sandbox_result *out,
	bool *late, struct err **err);

#endif
