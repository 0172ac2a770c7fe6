/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts inside the root of a sandbox: /proc, /sys and what of them is hidden or read-only,
 * and generated files. Those that the specification asks for are in usermounts.h.
 */
#ifndef BLD_BUILDER_SANDBOX_MOUNTS_H
#define BLD_BUILDER_SANDBOX_MOUNTS_H

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/probe.h"
#include "builder/sandbox/spec.h"
#include "builder/sandbox/target.h"

/* Attach the mount in slot `in` at a target; what = "mount /x". rule: see struct op. */
void mounts_plan_attach(
	struct op_list *l, int in, const struct target *t, const char *what, const char *rule);

/* A fresh file system in slot out (-1: a new slot); its options are copied, their text is not.
 * Returns the slot. */
int mounts_plan_fs(
	struct op_list *l, const struct kernel_fs *fs, int out, const char *what, bool optional);

/* /proc and /sys, after /dev is there (its null covers files). bare: nothing of them is hidden, and
 * all can be written. */
void mounts_plan_system(struct op_list *l, const struct probe *p, bool bare);

/* A file on the private tmpfs, read-only, as a mount in a new slot; mounts_plan_files() first.
 * Both before the root changes. */
struct mounts_file {
	const void *data; /* copied */
	size_t len;
	uint32_t mode, uid, gid;
};
void mounts_plan_files(struct op_list *l);
int mounts_plan_file(struct op_list *l, const struct mounts_file *f);

#endif
