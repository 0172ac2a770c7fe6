// SPDX-License-Identifier: Apache-2.0
/*
 * The Landlock domain of a sandbox: see landlock.h. Where a right is handled it must be given, and
 * moving files between directories is refused unless its right is handled; so all rights of ABI 6
 * are, and one rule gives them below the root.
 */
#include "builder/sandbox/landlock.h"

#include <stdint.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "store/base/cleanup.h"

/* The headers of Debian 12 end with ABI 2. */
#define ACCESS_FS_ALL  (((uint64_t)1 << 16) - 1) /* EXECUTE to IOCTL_DEV, ABI 5 */
#define SCOPE_ABSTRACT ((uint64_t)1 << 0)
#define SCOPE_SIGNAL   ((uint64_t)1 << 1)
#define GET_VERSION    1U
#define RULE_BENEATH   1

struct ruleset_attr {
	uint64_t access_fs, access_net, scoped;
};

struct beneath_attr {
	uint64_t access;
	int32_t parent;
} __attribute__((packed));

int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, GET_VERSION);
}

static int enter_domain(struct ops_state *st, const struct op *op)
{
	const struct ruleset_attr rules = {
		.access_fs = ACCESS_FS_ALL,
		.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL,
	};
	const struct beneath_attr root = {ACCESS_FS_ALL, st->slot[OPS_ROOT]};
	auto_fd int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);

	(void)op;
	if (fd < 0 || syscall(SYS_landlock_add_rule, fd, RULE_BENEATH, &root, 0) < 0)
		return -1;
	return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -1 : 0;
}

void landlock_plan(struct op_list *l)
{
	ops_add(l, &(struct op){enter_domain, .what = "enter a Landlock domain"});
}
