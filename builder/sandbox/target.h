/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount targets inside the root: resolved component by component, by descriptor, never outside;
 * made when they are missing, and taken away again when the command has ended, with the time of
 * their parent directory as it was. So no layer shows that something was mounted.
 */
#ifndef BLD_BUILDER_SANDBOX_TARGET_H
#define BLD_BUILDER_SANDBOX_TARGET_H

#include <limits.h>

#include "builder/sandbox/ops.h"

#define TARGET_LINKS_MAX 40

enum target_kind {
	TARGET_ANY,  /* must be there */
	TARGET_DIR,  /* made when missing, 0755 */
	TARGET_FILE, /* made when missing, empty, 0644 */
};

struct target {
	const char *path;
	enum target_kind kind;
	bool no_links; /* a symbolic link on the way is ELOOP */
	bool stub;     /* what is made goes again at the end; else it belongs to the layer */
};

/* Most stubs that a path can need, for op_list.stubs. */
size_t target_stubs(const char *path);

/* The child: an O_PATH descriptor of the target below OPS_ROOT, or -1 with errno (ENOTDIR, EISDIR
 * when it is there with another type). */
int target_open(struct ops_state *st, const struct target *t);

/* At the end, outside of the mount namespace of the sandbox: remove the stubs that are still what
 * was made, and give the directories around them their times back. -1 with errno: one was not,
 * `failed` is its name; the others were tried. */
int target_remove_stubs(struct ops_state *st, char failed[NAME_MAX + 1]);

#endif
