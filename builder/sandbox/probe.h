/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this kernel and this process can do. Probed once per runner.
 */
#ifndef BLD_BUILDER_SANDBOX_PROBE_H
#define BLD_BUILDER_SANDBOX_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/sandbox/overlay.h"
#include "store/base/strlist.h"

struct probe {
	enum overlay_api overlay;
	uint64_t caps;     /* permitted to this process */
	unsigned last_cap; /* the highest the kernel knows */
	int landlock;      /* landlock_abi(); where it is LANDLOCK_ABI_SCOPE or more it is used */
	bool cgroup2;      /* /sys/fs/cgroup is the unified hierarchy */
	struct strlist throttle; /* thermal_throttle directories below /sys, to be hidden */
};

/* 0, or ERR_SANDBOX with what is missing and what to do. */
int probe_run(struct probe *p, struct err **err);
void probe_clear(struct probe *p);
/* One line per feature: "name: yes" or "name: no (why)". */
void probe_describe(struct strlist *out);

#endif
