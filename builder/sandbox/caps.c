// SPDX-License-Identifier: Apache-2.0
/* Capabilities, groups and ids, by direct system calls: see kernel.h. */
#include "builder/sandbox/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "store/base/mem.h"

#define BIT(cap) ((uint64_t)1 << (cap))

/* docker's */
static const uint64_t caps_default =
	BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) |
	BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) |
	BIT(CAP_SYS_CHROOT) | BIT(CAP_SETFCAP) | BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) |
	BIT(CAP_AUDIT_WRITE);

struct caps_arg {
	uint64_t mask;
	unsigned last;
	uint32_t uid;
};

struct groups_arg {
	uint32_t gid;
	size_t n;
	const uint32_t *v;
};

static int caps_get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

	return (int)syscall(SYS_capget, &head, data);
}

int caps_own(uint64_t *permitted, unsigned *last)
{
	struct __user_cap_data_struct data[2] = {{0}};
	unsigned cap = 0;

	if (caps_get(data) < 0)
		return -1;
	while (cap < 63 && prctl(PR_CAPBSET_READ, cap + 1, 0, 0, 0) >= 0)
		cap++;
	/* Those above are not taken away: only EINVAL says that there are none. */
	if (cap < 63 && errno != EINVAL)
		return -1;
	*last = cap;
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

static int set_groups(struct ops_state *st, const struct op *op)
{
	const struct groups_arg *a = op->arg;

	(void)st;
	if (syscall(SYS_setgroups, a->n, a->v) < 0)
		return -1;
	return syscall(SYS_setresgid, a->gid, a->gid, a->gid) < 0 ? -1 : 0;
}

void caps_plan_groups(struct op_list *l, const struct sandbox_spec *s)
{
	struct groups_arg *a = ops_alloc(l, sizeof *a);

	*a = (struct groups_arg){
		s->gid, s->ngroups, ops_dup(l, s->groups, s->ngroups * sizeof *s->groups)};
	ops_add(l, &(struct op){set_groups, .what = "set the groups", .arg = a});
}

static int caps_drop(struct ops_state *st, const struct op *op)
{
	const struct caps_arg *a = op->arg;
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	uint64_t mask = a->uid == 0 ? a->mask : 0;

	(void)st;
	for (unsigned cap = 0; cap <= a->last; cap++)
		if (!(a->mask & BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	if (syscall(SYS_setresuid, a->uid, a->uid, a->uid) < 0)
		return -1;
	data[0].permitted = data[0].effective = (uint32_t)mask;
	data[1].permitted = data[1].effective = (uint32_t)(mask >> 32);
	return (int)syscall(SYS_capset, &head, data);
}

void caps_plan_drop(struct op_list *l, const struct sandbox_spec *s, const struct probe *p)
{
	struct caps_arg *a = ops_alloc(l, sizeof *a);
	uint64_t mask = s->insecure ? UINT64_MAX : caps_default;

	/* What this process lacks it cannot hand on. */
	*a = (struct caps_arg){mask & p->caps, p->last_cap, s->uid};
	ops_add(l, &(struct op){caps_drop, .what = "drop capabilities and set the user", .arg = a});
}
