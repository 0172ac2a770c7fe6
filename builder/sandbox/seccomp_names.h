/* SPDX-License-Identifier: Apache-2.0 */
/* System calls by name: what every build may do, and what is known and refused. The rest: ENOSYS.
 * Not listed on purpose: clone3 (its flags are in memory, so libc has to fall back to clone). */
#ifndef BLD_BUILDER_SANDBOX_SECCOMP_NAMES_H
#define BLD_BUILDER_SANDBOX_SECCOMP_NAMES_H

/* clang-format off */
static const char *const seccomp_allowed[] = {
	/* files */
	"open", "openat", "openat2", "creat", "close", "close_range", "dup", "dup2", "dup3",
	"read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
	"pwritev2", "lseek", "_llseek", "sendfile", "sendfile64", "splice", "tee", "vmsplice",
	"copy_file_range", "readahead", "fadvise64", "fadvise64_64", "arm_fadvise64_64",
	"sync_file_range", "sync_file_range2", "arm_sync_file_range", "fallocate", "truncate",
	"truncate64", "ftruncate", "ftruncate64", "fsync", "fdatasync", "sync", "syncfs", "flock",
	"fcntl", "fcntl64", "ioctl", "cachestat",
	/* their attributes */
	"stat", "stat64", "fstat", "fstat64", "lstat", "lstat64", "fstatat64", "newfstatat",
	"oldstat", "oldfstat", "oldlstat", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64",
	"access", "faccessat", "faccessat2", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown",
	"chown32", "fchown", "fchown32", "fchownat", "lchown", "lchown32", "umask", "utime",
	"utimes", "futimesat", "utimensat", "utimensat_time64", "getxattr", "lgetxattr",
	"fgetxattr", "listxattr", "llistxattr", "flistxattr", "setxattr", "lsetxattr", "fsetxattr",
	"removexattr", "lremovexattr", "fremovexattr", "getxattrat", "setxattrat", "listxattrat",
	"removexattrat", "name_to_handle_at",
	/* names */
	"link", "linkat", "symlink", "symlinkat", "readlink", "readlinkat", "unlink", "unlinkat",
	"rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat", "chdir",
	"fchdir", "getcwd", "chroot", "getdents", "getdents64", "readdir",
	/* waiting for them */
	"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait",
	"epoll_wait_old", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "signalfd",
	"signalfd4", "timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64", "inotify_init", "inotify_init1", "inotify_add_watch",
	"inotify_rm_watch", "fanotify_mark", "io_setup", "io_destroy", "io_submit", "io_cancel",
	"io_getevents", "io_pgetevents", "io_pgetevents_time64", "pipe", "pipe2", "memfd_create",
	"memfd_secret",
	/* memory */
	"brk", "mmap", "mmap2", "munmap", "mprotect", "pkey_alloc", "pkey_free", "pkey_mprotect",
	"mremap", "remap_file_pages", "madvise", "mincore", "msync", "mlock", "mlock2", "munlock",
	"mlockall", "munlockall", "membarrier", "mseal", "map_shadow_stack", "process_mrelease",
	/* processes */
	"clone", "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid",
	"waitpid", "getpid", "getppid", "gettid", "getpgid", "getpgrp", "getsid", "setpgid",
	"setsid", "kill", "tkill", "tgkill", "pidfd_open", "pidfd_send_signal", "prctl",
	"arch_prctl", "set_tid_address", "set_robust_list", "get_robust_list", "rseq", "futex",
	"futex_time64", "futex_waitv", "futex_wait", "futex_wake", "futex_requeue", "restart_syscall",
	"ptrace", "process_vm_readv", "process_vm_writev", "set_thread_area", "get_thread_area",
	"modify_ldt", "set_tls", "cacheflush", "breakpoint", "seccomp", "landlock_create_ruleset",
	"landlock_add_rule", "landlock_restrict_self", "uretprobe", "riscv_hwprobe",
	"riscv_flush_icache", "lsm_get_self_attr", "lsm_list_modules",
	/* signals */
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
	"rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo",
	"sigaction", "signal", "sigpending", "sigprocmask", "sigreturn", "sigsuspend",
	"sigaltstack", "pause", "alarm",
	/* ids */
	"getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid",
	"getegid32", "getresuid", "getresuid32", "getresgid", "getresgid32", "getgroups",
	"getgroups32", "setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32",
	"setregid", "setregid32", "setresuid", "setresuid32", "setresgid", "setresgid32",
	"setfsuid", "setfsuid32", "setfsgid", "setfsgid32", "setgroups", "setgroups32", "capget",
	"capset",
	/* scheduling and limits */
	"getpriority", "setpriority", "nice", "sched_yield", "sched_getaffinity",
	"sched_setaffinity", "sched_getattr", "sched_setattr", "sched_getparam", "sched_setparam",
	"sched_getscheduler", "sched_setscheduler", "sched_get_priority_max",
	"sched_get_priority_min", "sched_rr_get_interval", "sched_rr_get_interval_time64",
	"ioprio_get", "ioprio_set", "getcpu", "getrlimit", "ugetrlimit", "setrlimit", "prlimit64",
	"getrusage", "times",
	/* time */
	"time", "gettimeofday", "clock_gettime", "clock_gettime64", "clock_getres",
	"clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "adjtimex",
	"clock_adjtime", "clock_adjtime64", "getitimer", "setitimer", "timer_create",
	"timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime",
	"timer_settime64",
	/* sockets and System V IPC */
	"socket", "socketpair", "socketcall", "bind", "listen", "accept", "accept4", "connect",
	"shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt", "send", "sendto",
	"sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "ipc",
	"msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop",
	"semtimedop_time64", "shmat", "shmctl", "shmdt", "shmget", "mq_getsetattr", "mq_notify",
	"mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend",
	"mq_timedsend_time64", "mq_unlink",
	/* the system */
	"uname", "olduname", "oldolduname", "sysinfo", "getrandom",
};

static const char *const seccomp_refused[] = {
	/* mounts and namespaces: a sandbox with root's privilege makes none inside itself */
	"mount", "umount", "umount2", "mount_setattr", "move_mount", "open_tree", "fsopen",
	"fsconfig", "fsmount", "fspick", "pivot_root", "unshare", "setns", "statmount", "listmount",
	"quotactl", "quotactl_fd", "open_by_handle_at", "fanotify_init", "lookup_dcookie",
	/* the kernel and the machine */
	"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
	"io_uring_register", "add_key", "request_key", "keyctl", "kexec_load", "kexec_file_load",
	"create_module", "init_module", "finit_module", "delete_module", "query_module",
	"get_kernel_syms", "syslog", "reboot", "swapon", "swapoff", "acct", "ioperm", "iopl", "vm86",
	"vm86old", "vhangup", "uselib", "ustat", "sysfs", "_sysctl", "nfsservctl", "bdflush",
	"settimeofday", "clock_settime", "clock_settime64", "stime", "sethostname", "setdomainname",
	/* other processes and their memory */
	"kcmp", "pidfd_getfd", "process_madvise", "move_pages", "migrate_pages", "mbind",
	"set_mempolicy", "get_mempolicy", "set_mempolicy_home_node",
};
/* clang-format on */

#endif
