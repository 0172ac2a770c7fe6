// SPDX-License-Identifier: Apache-2.0
/*
 * The processors that this process may run on, by its affinity mask: taskset and cpusets show
 * there, a CPU quota of a cgroup does not.
 */
#include "store/base/cpus.h"

#include <sched.h>
#include <unistd.h>

unsigned cpus_usable(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
		return (unsigned)CPU_COUNT(&set);
	/* More processors than the set has room for. */
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}
