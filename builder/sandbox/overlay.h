/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlays of layers, be they directories or mounts of EROFS images. `volatile`: the kernel syncs
 * nothing (an ordinary overlay syncs the whole file system of the store when it is unmounted);
 * redirects, metacopy and index are off, so an upper directory holds whole files, whiteouts and
 * opaque marks, and means the same alone.
 */
#ifndef BLD_BUILDER_SANDBOX_OVERLAY_H
#define BLD_BUILDER_SANDBOX_OVERLAY_H

#include "builder/sandbox/erofsmounts.h"
#include "builder/sandbox/ops.h"
#include "builder/sandbox/spec.h"

/* How the kernel takes the list of lower directories. */
enum overlay_api {
	OVERLAY_LOWERDIR_PLUS, /* fsconfig "lowerdir+", Linux 6.8 */
	OVERLAY_CLASSIC,       /* mount(2), one page of options */
};

struct overlay_lower {
	int slot;
	bool mounted; /* the root of a mount that was made for it; not to be opened again */
};

struct overlay {
	const struct overlay_lower *lower; /* bottom first; copied */
	size_t n;
	int upper, work; /* slots, or -1: read-only */
	int out;         /* slot of the root of the new mount */
	const char *what;
	enum overlay_api api;
	bool devices; /* device nodes in it can be opened */
};

/*
 * Slots for lowers; indexes are mounted, and attached where the kernel wants that (CLASSIC only; in
 * the new mount namespace then). Returns the number filled in, as many as there are lowers, or -1.
 */
int overlay_plan_lowers(struct op_list *l, struct erofsmounts *x, const struct sandbox_lowers *from,
	struct overlay_lower *to, struct err **err);

/*
 * Add the operation. With OVERLAY_LOWERDIR_PLUS it runs in the mount namespace of the caller and
 * yields a detached mount; with OVERLAY_CLASSIC it runs after namespace_plan_mounts() and yields a
 * mount in the tree, on a directory "stageN" that it makes in the scratch directory.
 * 0 / -1 (ERR_LIMIT: too many lowers).
 */
int overlay_plan(struct op_list *l, const struct overlay *o, struct err **err);

/*
 * Make `name`, or "upper" and "work" themselves when name is NULL, in the scratch directory: an
 * upper directory with the mode, owner and times of the top lower, and an empty work directory.
 * Sets o->upper and o->work.
 */
int overlay_plan_upper(
	struct op_list *l, int scratch_fd, const char *name, struct overlay *o, struct err **err);

/* sandbox_make_scratch(), sandbox_scratch_refused() */
int overlay_make_scratch(int scratch_fd, struct err **err);
const char *overlay_scratch_refused(int dir_fd);

/* A new directory, opened; -1. */
int overlay_scratch_dir(int parent, const char *name, mode_t mode, struct err **err);

#endif
