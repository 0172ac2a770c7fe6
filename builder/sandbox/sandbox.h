/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RUN sandbox: a plain specification in, an exit status out. Knows neither the Dockerfile nor
 * OCI JSON.
 *
 * A sandbox is one process tree in new mount, PID, IPC, UTS and cgroup namespaces (and network,
 * when asked): an overlay of the given lowers with a fresh upper as its root, a fresh
 * /proc, /dev, /sys, a PID 1 of ours that reaps, forwards signals and ends everything when the
 * command ends. Every mount lives in the sandbox's own mount namespace, so nothing is left behind
 * however bld dies; the PID 1 dies with the thread that started it.
 *
 * Paths inside the root are resolved once, by descriptor, and mounts go from descriptor to
 * descriptor.
 */
#ifndef BLD_BUILDER_SANDBOX_SANDBOX_H
#define BLD_BUILDER_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"
#include "store/base/strlist.h"
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
 * What the sandboxes of a build share: what the kernel can do, the seccomp program, the mounts of
 * EROFS indexes, and a small process that they are cloned from (forker.h). They die with it. One is
 * enough for all threads of a build; making one costs about a millisecond.
 */
struct sandbox_runner;
struct sandbox_job;

/* Probes what the kernel gives (openat2, fsopen, lowerdir+, mount_setattr ...) and compiles the
 * seccomp program once. ERR_SANDBOX with what is missing and what to do (chroot without a mount
 * namespace, no CAP_SYS_ADMIN ...). */
struct sandbox_runner *sandbox_runner_new(struct err **err);
/* Kills, reaps and frees what still runs; its jobs are gone then. */
void sandbox_runner_free(struct sandbox_runner *r);

/* Make "upper" and "work" in an empty directory ahead of sandbox_start(). 0 / -1 */
int sandbox_make_scratch(int scratch_fd, struct err **err);

/* Start, from any thread, several at once (64 sandboxes at a time; one more is ERR_LIMIT). Returns
 * when the sandbox is set up and the command about to be executed, or with ERR_SANDBOX naming the
 * operation that failed. The spec may go as soon as this returns. */
struct sandbox_job *sandbox_start(
	struct sandbox_runner *r, const struct sandbox_spec *s, struct err **err);
/* Can be read (poll) when the command and all that it started are dead. Borrowed. */
int sandbox_end_fd(const struct sandbox_job *job);
/*
 * Wait for the end, in any thread; when it returns every process of the command is dead, the
 * directories and files given are no longer in use and stubs are removed. With `freeze` nobody can
 * change the root any more, not through a descriptor that was passed on either; ERR_BUILD when
 * somebody has a file of it open for writing, mapped to be written, or open and removed. Frees the
 * job. 0 / -1.
 */
int sandbox_wait(struct sandbox_job *take_job, struct sandbox_result *out, struct err **err);
/* Forward a signal to the command's process group; from any thread, until sandbox_wait() returns.
 * SIGKILL ends all. */
void sandbox_signal(struct sandbox_job *job, int sig);

/*
 * The floor: one directory below all layers of every sandbox of the runner, with what an image may
 * lack and something is mounted on each time (/proc, /dev, /sys, /etc/hosts ...). Without it these
 * places are made in the upper and taken away again in each RUN, which costs more than the rest of
 * the files of a sandbox. Nobody writes to it.
 *
 * A command that changed nothing but, say, the mode of a /etc that is only on the floor leaves an
 * empty directory of that name in the upper: sandbox_floor_dirs (ends with NULL) names those that
 * the caller removes there when the layers below lack them.
 */
extern const char *const sandbox_floor_dirs[];
bool sandbox_lacks_floor(struct sandbox_runner *r);
/* Fill dir_fd, an empty directory on the store's file system, that stays for as long as the runner;
 * no longer needed when another thread was faster. Later sandboxes have it. 0 / -1 */
int sandbox_give_floor(struct sandbox_runner *r, int dir_fd, struct err **err);
/*
 * Whether EROFS indexes can be lowers; cheap. As far as it can be told without a mount (root in the
 * first user namespace, Linux 6.12.2 or later, EROFS known), and none was refused before.
 */
bool sandbox_takes_indexes(struct sandbox_runner *r);
/*
 * Mount those of v that are indexes; the runner keeps the mounts, so that a sandbox costs none. 1:
 * all are mounted; 0: this kernel, or the file system that they lie on, does not take them, and
 * sandbox_takes_indexes() is false from now on; -1: another error. From any thread.
 */
int sandbox_try_lowers(struct sandbox_runner *r, const struct lower *v, size_t n, struct err **err);

/*
 * Whether the file system of dir_fd, an empty directory, takes what a RUN writes: an overlay is
 * made there, and its directories stay. NULL, or why not (borrowed, constant).
 */
const char *sandbox_scratch_refused(int dir_fd);

/* For `bld info`: one line per feature, "name: yes/no (why)". */
void sandbox_describe(struct strlist *out);

DEFINE_CLEANUP(struct sandbox_runner *, sandbox_runner_free);
#define auto_sandbox_runner CLEANUP(sandbox_runner_freep)

#endif
