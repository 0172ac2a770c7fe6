// SPDX-License-Identifier: Apache-2.0
/*
 * Makes system calls that a sandbox should refuse, or must allow, and prints one line for each:
 * NAME allowed | refused (EPERM, EACCES) | absent (ENOSYS) | error NUMBER. The arguments are
 * chosen so that a call which is let through does no harm: it fails with another error, which
 * counts as allowed. Built without a dynamic loader, so that it runs in an empty image.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

static void tell(const char *name, long ret)
{
	int e = ret < 0 ? errno : 0;

	if (e == ENOSYS)
		printf("%s absent\n", name);
	else if (e == EPERM || e == EACCES || e == EAFNOSUPPORT)
		printf("%s refused\n", name);
	else
		printf("%s allowed (%s)\n", name, e ? strerror(e) : "no error");
}

static void try_clone(const char *name, unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	tell(name, pid);
}

int main(void)
{
	static const char tmp[] = "/nowhere";

	setvbuf(stdout, NULL, _IONBF, 0);
	tell("mount", syscall(SYS_mount, "none", tmp, "tmpfs", 0, NULL));
	tell("umount2", syscall(SYS_umount2, tmp, 0));
	tell("unshare-user", syscall(SYS_unshare, CLONE_NEWUSER));
	tell("setns", syscall(SYS_setns, -1, 0));
	tell("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	tell("add_key", syscall(SYS_add_key, "user", "x", "y", 1, -1));
	tell("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
	tell("userfaultfd", syscall(SYS_userfaultfd, 0));
	tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
	tell("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	tell("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	tell("init_module", syscall(SYS_init_module, NULL, 0, ""));
	tell("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	tell("swapon", syscall(SYS_swapon, tmp, 0));
	tell("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
	tell("socket-alg", socket(38, SOCK_SEQPACKET, 0));
	tell("socket-vsock", socket(40, SOCK_STREAM, 0));
	/* A descriptor that is no terminal: ENOTTY would mean that the request got through. */
	tell("ioctl-tiocsti", ioctl(0, TIOCSTI, "x"));
	try_clone("clone-newuser", CLONE_NEWUSER);
	try_clone("clone", 0);
	tell("getpid", syscall(SYS_getpid));
	tell("openat2", syscall(SYS_openat2, -1, NULL, NULL, 0));
	tell("fchmodat2", syscall(__NR_fchmodat2, -1, "", 0, 0));
	tell("statx", syscall(SYS_statx, -1, "", 0, 0, NULL));
	tell("futex", syscall(SYS_futex, NULL, 0, 0, NULL, NULL, 0));
	tell("unknown-call", syscall(100000));
	return 0;
}
