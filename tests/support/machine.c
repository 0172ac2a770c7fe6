// SPDX-License-Identifier: Apache-2.0
/*
 * Questions to the kernel, each asked in a child where the answer may be a signal.
 */
#include "tests/support/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* The reason stands before the result it belongs to, whichever of the two is buffered. */
static void say(const char *kind, const char *reason)
{
	printf("# %s: %s\n", kind, reason);
	fflush(stdout);
}

void machine_lacks_kernel(const char *reason)
{
	say("kernel", reason);
}

void machine_lacks(const char *reason)
{
	say("machine", reason);
}

bool machine_has_ia32(void)
{
#ifdef __x86_64__
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int r;

		__asm__ volatile("int $0x80" : "=a"(r) : "a"(20 /* getpid */) : "memory");
		_exit(r == getpid() ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
#else
	return false;
#endif
}

unsigned machine_rounds(unsigned full, unsigned quick)
{
	return getenv("BLD_TEST_QUICK") ? quick : full;
}

void machine_own_mounts(void)
{
	/* Private cuts the tie to the others, shared makes groups of our own. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0) {
		perror("a mount namespace for the test");
		abort();
	}
}
