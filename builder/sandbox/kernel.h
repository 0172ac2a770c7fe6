/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls without the help of libc, for the child of a process with threads. The wrappers of
 * libc for the set*id family signal every thread and wait for it; those threads do not exist in
 * the child. Constants are here where the headers of Debian 12 (Linux 6.1) miss them.
 */
#ifndef BLD_BUILDER_SANDBOX_KERNEL_H
#define BLD_BUILDER_SANDBOX_KERNEL_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "builder/sandbox/ops.h"

/* openat2(2); how.resolve as given. */
int kernel_open(int dir, const char *path, int flags, uint64_t resolve);
/* A clone of this process in new namespaces; 0 in the child. *pidfd may be NULL. */
pid_t kernel_clone(uint64_t flags, int *pidfd);
/* The same into a control group of version 2, by its directory (clone3, Linux 5.7). */
pid_t kernel_clone_into(uint64_t flags, int *pidfd, int group);

/* What the kernel, or a filter or a security module around us, says of a call or a file system that
 * is not to be had here and will not be: not that it had no memory, descriptor or disk just now. */
bool kernel_lacks(int error);

/* A sanitizer watches memory: its tables know nothing of a second process that uses it too. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KERNEL_SANITIZED true
#elif defined(__has_feature) /* clang has no macros for it */
#define KERNEL_SANITIZED                                                                           \
	(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                    \
		__has_feature(memory_sanitizer))
#else
#define KERNEL_SANITIZED false
#endif

/* One option of a mount; value NULL = a flag. An optional one may be unknown to the kernel. */
struct kernel_fs_opt {
	const char *key, *value;
	bool optional;
};

struct kernel_fs {
	const char *type;
	const struct kernel_fs_opt *opt;
	size_t n;
	uint64_t attr; /* MOUNT_ATTR_* */
};

/* Finish what kernel_fs_mount does: create the superblock and mount it. Does not close fs. */
int kernel_fs_create(struct ops_state *st, int fs, uint64_t attr);
/* open_tree: a detached copy of one mount, with attributes added. */
int kernel_clone_tree(int fd, uint64_t attr);
/* Attach a detached mount on what the descriptor names. */
int kernel_attach(int mount, int target);
/* Make /proc/self/fd of the sandbox the working directory, so that "7" names descriptor 7. */
int kernel_enter_fds(struct ops_state *st);
/* A small number in decimal; returns out. */
char *kernel_number(int n, char out[16]);

/* Run an operation that makes a file system: arg = struct kernel_fs, out = slot. */
int kernel_op_fs(struct ops_state *st, const struct op *op);

#endif
