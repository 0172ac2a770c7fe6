// SPDX-License-Identifier: Apache-2.0
/*
 * A planted regression: one more fork for each RUN. A RUN is told by the process that is cloned
 * into a process namespace of its own.
 */
#include <linux/sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	uint64_t flags = number == SYS_clone    ? (uint64_t)a[0]
			 : number == SYS_clone3 ? *(const uint64_t *)a[0]
						: 0;
	if (flags & CLONE_NEWPID) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
