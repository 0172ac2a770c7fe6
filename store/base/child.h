/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place outside of the sandbox where programs are started. A child gets its arguments, its
 * environment, three descriptors and a directory, and nothing else: no other descriptor, no blocked
 * signal, none of our handlers. It is killed when the thread that started it ends, so also when bld
 * is killed.
 */
#ifndef BLD_STORE_BASE_CHILD_H
#define BLD_STORE_BASE_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/buf.h"

/* What is started; borrowed. */
struct child_spec {
	/* [0]: an absolute path, or a name that is looked for in PATH: in its absolute directories
	 * only, as the others would mean whatever lies where we work. Ended by NULL. */
	char *const *argv;
	char *const *env; /* ended by NULL; or NULL: our own */
	int dir;          /* where it works; AT_FDCWD: where we do */
	/* In a session of its own it has no terminal to ask at, and what it started is killed when
	 * it ends or is stopped. Otherwise it may ask, and only itself is killed. */
	bool session;
	bool no_new_privs; /* what it executes is never set-user-ID or set-group-ID */
	uint64_t file_max; /* bytes of a file that it writes, else SIGXFSZ; 0: as we have it */
};

struct child {
	pid_t pid; /* 0: none */
	bool session;
};

/* Its descriptors 0 to 2 are these, borrowed; -1: /dev/null. Returns 0 once it has been executed,
 * otherwise the errno that says why it was not (ENOENT: no such program), and no child is left. */
int child_start(const struct child_spec *spec, const int fds[3], struct child *out);

/* Kill it and wait for its end; nothing where there is none. Returns its status as child_run does.
 */
int child_stop(struct child *c);

/* What is said to a child and heard from it; borrowed. */
struct child_talk {
	const void
		*input; /* its standard input; NULL: /dev/null. One that it does not read is lost */
	size_t input_len;
	struct buf *out;   /* its standard output, up to the buffer's max; or NULL: lost */
	struct buf *said;  /* standard error; what is more than its max is lost; or NULL */
	uint64_t limit_ms; /* for everything together, whatever signals come; 0: none */
	const atomic_int *cancelled; /* looked at ten times a second; or NULL */
};

enum child_end {
	CHILD_ENDED,     /* by itself. value: its exit status, or 128 + the signal */
	CHILD_UNSTARTED, /* value: errno, as of child_start */
	CHILD_LATE,      /* the rest: it was killed */
	CHILD_CANCELLED,
	CHILD_TALKATIVE, /* more output than `out` takes */
	CHILD_LOST,      /* value: errno of what failed on our side */
};

/* Run it to its end. A child that has ended is not waited for any longer although something that it
 * left behind still holds its output. What was heard stays in the buffers in every case; no copy of
 * it is left anywhere else. */
enum child_end child_run(const struct child_spec *spec, const struct child_talk *talk, int *value);

#endif
