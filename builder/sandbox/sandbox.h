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

#include "builder/sandbox/spec.h"
#include "store/base/err.h"
#include "store/base/strlist.h"
#include "store/lower.h"

/*
 * What the sandboxes of a build share: what the kernel can do, the seccomp program, the mounts of
 * EROFS images, and a small process that they are cloned from (forker.h). They die with it. One is
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
 * The skeleton: one directory below all layers of every sandbox of the runner, with what an image
 * may lack and something is mounted on each time (/proc, /dev, /sys, /etc/hosts ...). Without it
 * these places are made in the upper and taken away again in each RUN, which costs more than the
 * rest of the files of a sandbox. Nobody writes to it.
 */
bool sandbox_lacks_skeleton(struct sandbox_runner *r);
/* Fill dir_fd, an empty directory on the store's file system, that stays for as long as the runner;
 * no longer needed when another thread was faster. Later sandboxes have it. 0 / -1 */
int sandbox_give_skeleton(struct sandbox_runner *r, int dir_fd, struct err **err);
/*
 * Whether EROFS images can be lowers; cheap. As far as it can be told without a mount (root in the
 * first user namespace, Linux 6.12.2 or later, EROFS known), and none was refused before.
 */
bool sandbox_takes_erofs(struct sandbox_runner *r);
/*
 * Mount those of v that are indexes; the runner keeps the mounts, so that a sandbox costs none. 1:
 * all are mounted; 0: this kernel, or the file system that they lie on, does not take them, and
 * sandbox_takes_erofs() is false from now on; -1: another error. From any thread.
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
