/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place to run sandboxes in: a temporary directory with a root made of busybox, and a runner.
 */
#ifndef BLD_TESTS_SUPPORT_SANDBOX_BOX_H
#define BLD_TESTS_SUPPORT_SANDBOX_BOX_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "builder/sandbox/sandbox.h"

struct box {
	char *path; /* owned */
	int dir;
	int root; /* the busybox root, a layer */
	struct sandbox_runner *runner;
	unsigned count, nindex;
	int scratch; /* of the last run */
};

struct box_run {
	struct sandbox_spec spec; /* change what differs before box_run() */
	struct lower lower[SANDBOX_LOWERS_MAX + 1];
	const char *argv[16];
	struct sandbox_result res;
	char *text; /* owned: stdout and stderr */
};

/* Why sandboxes cannot run here, or NULL. */
const char *sandbox_box_missing(void);
void sandbox_box_init(struct box *b);
void sandbox_box_clear(struct box *b);
/* One for a group of tests, or for one test: *state. */
int sandbox_box_setup(void **state);
int sandbox_box_teardown(void **state);

/* A file with this content below a directory; parents are made. */
void sandbox_box_write(int dir, const char *path, const char *text, unsigned mode);
int sandbox_box_mkdir(int dir, const char *path, unsigned mode); /* opened */

/*
 * An EROFS image of a directory that holds one file: its name is two small letters, its content
 * (at most 512 bytes) lies in a file that is its device. Both files are made below b->path, so they
 * are worth mounting only where the file system of /tmp can be mounted from. To be cleared.
 */
struct lower sandbox_box_index(struct box *b, const char *name, const char *content);

/* "sh -c script" in the busybox root, as uid 0, host network. */
void sandbox_box_prepare(struct box *b, struct box_run *r, const char *script);
/* Start; the read end of its output in *out. NULL: failed, with *err. */
struct sandbox_job *sandbox_box_start(struct box *b, struct box_run *r, int *out, struct err **err);
/* Start, wait, collect. Fails the test when the sandbox cannot be made. */
void sandbox_box_run(struct box *b, struct box_run *r);
void sandbox_box_done(struct box_run *r);
/* This very program inside: "/probe --probe NAME" over a read-only bind of /usr, with up to
 * SANDBOX_BOX_EXTRA mounts more. To be run with sandbox_box_start() or _run(). */
#define SANDBOX_BOX_EXTRA 4
struct box_self {
	struct sandbox_mount mount[2 + SANDBOX_BOX_EXTRA];
	int usr, self, libs;
};
void sandbox_box_prepare_self(
	struct box *b, struct box_self *s, struct box_run *r, const char *name);
void sandbox_box_done_self(struct box_self *s);
/* prepare, run; the output (owned by the caller), which must come with this exit code */
char *sandbox_box_sh(struct box *b, int exit_code, const char *script);
/* Names below the scratch/upper of the last run, sorted, one a line. Owned by the caller. */
char *sandbox_box_upper(struct box *b);

#endif
