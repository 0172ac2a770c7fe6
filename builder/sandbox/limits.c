// SPDX-License-Identifier: Apache-2.0
/* Limits that make a step behave the same whoever starts it. */
#include "builder/sandbox/limits.h"

#include <sys/resource.h>
#include <sys/stat.h>

static int set_limits(struct ops_state *st, const struct op *op)
{
	const struct rlimit none = {0, 0};
	struct rlimit files;

	(void)st;
	(void)op;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return -1;
	if (files.rlim_max > LIMITS_FILES)
		files.rlim_max = LIMITS_FILES;
	files.rlim_cur = files.rlim_max;
	umask(0022);
	return setrlimit(RLIMIT_NOFILE, &files);
}

void limits_plan(struct op_list *l)
{
	ops_add(l, &(struct op){set_limits, .what = "set resource limits"});
}
