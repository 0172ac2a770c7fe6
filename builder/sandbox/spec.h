/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sandbox is told and what it tells: plain data, for callers (by way of sandbox.h) and for
 * the modules that make a sandbox of it.
 */
#ifndef BLD_BUILDER_SANDBOX_SPEC_H
#define BLD_BUILDER_SANDBOX_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/lower.h"

#define SANDBOX_LOWERS_MAX 500 /* the kernel's limit for one overlay */
#define SANDBOX_GROUPS_MAX 65536
/*
 * Processes, with their threads, of all sandboxes of a runner together. podman gives a container
 * 2048; a build runs several at a time, and an eighth of 32768, the usual pid_max, leaves the
 * machine usable.
 */
#define SANDBOX_PIDS_MAX 4096

enum sandbox_network { SANDBOX_NET_HOST, SANDBOX_NET_NONE };

/* Lowers, bottom first; borrowed. n == 0: an empty root. */
struct sandbox_lowers {
	const struct lower *v;
	size_t n;
};

enum sandbox_mount_kind {
	SANDBOX_MOUNT_BIND,    /* source_fd, or `source` inside `lowers`; ro, or rw: into the source
				  itself (cache mounts) */
	SANDBOX_MOUNT_SCRATCH, /* the same sources with an overlay on top: writes are thrown away
				  (bind,rw) */
	SANDBOX_MOUNT_TMPFS,   /* size_bytes (0 = the kernel's default), mode */
	SANDBOX_MOUNT_FILE,    /* `data`, `len` as a file on a tmpfs of its own, read-only; never on
				  disk (secrets, scripts) */
};

struct sandbox_mount {
	enum sandbox_mount_kind kind;
	const char *target; /* absolute, in the root; made when it is missing and gone again
			       afterwards */
	int source_fd;      /* O_PATH file or directory, or -1: then `source` below the overlay of
			       `lowers` */
	struct sandbox_lowers lowers;
	const char *source; /* path inside `lowers`, resolved in that root */
	bool readonly;
	bool noexec;
	uint64_t size_bytes;
	uint32_t mode; /* of a TMPFS or FILE */
	uint32_t uid;
	uint32_t gid;
	const void *data; /* not from the program's own argv: its memory is wiped in the child */
	size_t len;
};

struct sandbox_spec {
	struct sandbox_lowers lowers;
	/* A directory on the store's file system, empty or of sandbox_make_scratch(): "upper" and
	 * "work" are made in it and stay for the caller (upper to be frozen); so do "empty", "mN"
	 * (what throw-away mounts took) and "stageN", which are of no further use. */
	int scratch_fd;
	const char *const
		*argv; /* argv[0] is searched in the PATH of envp, in the root, as execvp would */
	const char *const *envp; /* complete: nothing of the caller's environment gets in */
	const char *cwd;         /* absolute, in the root; made 0755 root when missing */
	uint32_t uid;
	uint32_t gid;
	const uint32_t
		*groups; /* supplementary, exactly these (the primary one included by the caller) */
	size_t ngroups;
	enum sandbox_network network;
	const struct sandbox_mount
		*mounts; /* in order: a later one may lie inside an earlier one */
	size_t nmounts;
	int stdin_fd;  /* -1 = /dev/null */
	int stdout_fd; /* write ends of the caller's; borrowed, closed in the child after dup */
	int stderr_fd;
	bool freeze;   /* when the command has ended with 0 the root becomes read-only for whoever
			  still holds a descriptor of it; see sandbox_wait() */
	bool insecure; /* every capability that bld has, all system calls, /proc and /sys to write;
			  the namespaces stay */
};

/* Of PID 1, whose word is taken for no more than this: the command could have told it. */
struct sandbox_result {
	int exit_code; /* 0..255, of the command; 128 + signal when signal != 0 */
	int signal;    /* that killed the command, 0 = it exited */
	bool oom;  /* the kernel's OOM killer struck in the sandbox (as far as it can be known) */
	bool pids; /* a process was refused: there were SANDBOX_PIDS_MAX in the build */
	int exec_errno; /* != 0: the command could not be started (ENOENT, EACCES, ENOEXEC ...):
			   exit_code 127 or 126 */
};

/*
 * Places to mount on that are not of the image but of the skeleton (sandbox_give_skeleton()). A
 * command that changed nothing but, say, the mode of a /etc that is only there leaves an empty
 * directory of that name in the upper, which the caller removes when the layers below lack it. Ends
 * with NULL.
 */
extern const char *const sandbox_skeleton_dirs[];

#endif
