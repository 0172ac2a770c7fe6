/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts that the specification asks for. Their parts run at different times: descriptors are
 * cloned in bld's mount namespace, paths inside overlays in the new one, targets in the new root.
 */
#ifndef BLD_BUILDER_SANDBOX_USERMOUNTS_H
#define BLD_BUILDER_SANDBOX_USERMOUNTS_H

#include "builder/sandbox/overlay.h"
#include "builder/sandbox/spec.h"

struct usermounts {
	const struct sandbox_spec *spec;
	struct erofsmounts *indexes;
	enum overlay_api api;
	bool devices; /* device nodes can be opened: the control group, or nothing, limits them */
	int empty;    /* slot of an empty directory: an overlay needs two layers, or an upper */
	int *slot;    /* per mount: what is to be attached; owned by the list */
};

/* Check the list and number the slots. 0 / -1 */
int usermounts_init(struct usermounts *u, struct op_list *l, struct err **err);
/* Sources that are descriptors; in bld's mount namespace. */
void usermounts_plan_descriptors(struct usermounts *u, struct op_list *l);
/* Overlays; where overlay_plan() says. Makes "mN" with upper and work in the scratch directory. */
int usermounts_plan_overlays(struct usermounts *u, struct op_list *l, struct err **err);
/* Sources inside these overlays, and files; in the new mount namespace, before the root changes. */
void usermounts_plan_inner(struct usermounts *u, struct op_list *l);
/* Attach all, in order; in the new root. */
void usermounts_plan_targets(struct usermounts *u, struct op_list *l);

#endif
