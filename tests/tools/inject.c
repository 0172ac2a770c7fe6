// SPDX-License-Identifier: Apache-2.0
/*
 * inject [-s] [-c CALL -n N -e ERRNO] [-o FILE] -- COMMAND [ARGUMENT...]
 *
 * Runs COMMAND and lets its N-th CALL fail with ERRNO (a name or a number), without making it;
 * with a "+" behind it all from the N-th on, but for writes to standard error (it has to tell why).
 * Calls are counted over all of its threads and processes together, from the moment its shared
 * libraries are loaded (the first munmap, of ld.so's cache) until a process executes another
 * program: what a RUN step, git or a credential helper does is not bld's.
 *
 * Without -c nothing fails; FILE then gets a line "CALL COUNT" for every call that can be let fail,
 * or with -s a line "CALL N SITE" for each one made: calls of one SITE have the same callers.
 * With it, FILE gets one line that tells which call it was and on what; it is empty when there were
 * fewer than N.
 *
 * A filter stops just the calls that are counted; the rest run at full speed. Exit status and
 * signals are COMMAND's; 125 is this program's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_OWN 125
#define TASKS_MAX  4096
#define TEXT_MAX   256
#define CALLS_MAX  512
#define STACK_MAX  512 /* words of it that are looked at */
#define CALLERS    12  /* of them that make a site */
#define MAPS_MAX   64

/* What can fail for want of memory, descriptors or room, or by a broken disk or line. Left out is
 * what cannot fail in a way worth a test (getpid), or must not (exit, wait, futex), close (it would
 * not be made), brk and munmap. */
static const char *const calls[] = {"accept4", "access", "bpf", "chdir", "clone", "clone3",
	"connect", "copy_file_range", "dup", "dup2", "dup3", "epoll_create1", "epoll_ctl",
	"eventfd2", "execve", "faccessat", "faccessat2", "fallocate", "fchdir", "fchmod",
	"fchmodat", "fchown", "fchownat", "fcntl", "fdatasync", "fgetxattr", "flistxattr", "flock",
	"fsconfig", "fsetxattr", "fsmount", "fsopen", "fspick", "fstat", "fstatfs", "fsync",
	"ftruncate", "getdents64", "getxattr", "landlock_add_rule", "landlock_create_ruleset",
	"landlock_restrict_self", "lchown", "lgetxattr", "linkat", "listxattr", "llistxattr",
	"lseek", "lsetxattr", "memfd_create", "mkdir", "mkdirat", "mknodat", "mmap", "mount",
	"mount_setattr", "move_mount", "mprotect", "mremap", "newfstatat", "open", "open_tree",
	"openat", "openat2", "pidfd_open", "pidfd_send_signal", "pipe2", "pivot_root", "poll",
	"ppoll", "prctl", "pread64", "pwrite64", "read", "readlink", "readlinkat", "readv",
	"recvfrom", "recvmsg", "rename", "renameat", "renameat2", "seccomp", "sendfile", "sendmsg",
	"sendto", "setns", "setresgid", "setresuid", "setgroups", "setsockopt", "setxattr",
	"socket", "socketpair", "splice", "stat", "statfs", "statx", "symlinkat", "sync_file_range",
	"syncfs", "timerfd_create", "umount2", "unlink", "unlinkat", "unshare", "utimensat",
	"write", "writev"};
#define NCALLS (sizeof calls / sizeof *calls)

static const struct {
	const char *name;
	int value;
} errors[] = {{"EACCES", EACCES}, {"EAGAIN", EAGAIN}, {"ECONNRESET", ECONNRESET},
	{"EDQUOT", EDQUOT}, {"EINTR", EINTR}, {"EIO", EIO}, {"EMFILE", EMFILE},
	{"ENETUNREACH", ENETUNREACH}, {"ENFILE", ENFILE}, {"ENOBUFS", ENOBUFS}, {"ENOLCK", ENOLCK},
	{"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC}, {"EPERM", EPERM}};

struct task {
	pid_t pid;
	bool foreign; /* it has executed another program, or comes from one that has */
};

static struct task tasks[TASKS_MAX];
static size_t ntasks;
static unsigned long counts[CALLS_MAX];
static int want_nr = -1, want_error;
static bool lasting, sites;
static unsigned long want_n;
static FILE *out;
static bool begun;

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *fmt, ...)
{
	va_list ap;

	fputs("inject: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(STATUS_OWN);
}

static struct task *task_of(pid_t pid)
{
	for (size_t i = 0; i < ntasks; i++)
		if (tasks[i].pid == pid)
			return &tasks[i];
	if (ntasks == TASKS_MAX)
		die("too many processes");
	tasks[ntasks] = (struct task){.pid = pid};
	return &tasks[ntasks++];
}

static void forget(pid_t pid)
{
	struct task *t = task_of(pid);

	*t = tasks[--ntasks];
}

static int error_of(char *text)
{
	char *plus = strchr(text, '+');

	lasting = plus != NULL;
	if (plus)
		*plus = '\0';
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strcmp(errors[i].name, text) == 0)
			return errors[i].value;
	int n = atoi(text);
	if (n <= 0)
		die("%s: not an error", text);
	return n;
}

/* --- the filter ---------------------------------------------------------------------------- */

static void trace_call(scmp_filter_ctx f, int nr)
{
	if (nr >= 0 && seccomp_rule_add(f, SCMP_ACT_TRACE(0), nr, 0) < 0)
		die("filter");
}

static void install(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);

	if (!f)
		die("filter");
	/* Root needs no no_new_privs for it, which RUN would see. */
	seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, geteuid() != 0);
	trace_call(f, SCMP_SYS(munmap));
	if (want_nr >= 0 && want_nr != SCMP_SYS(munmap))
		trace_call(f, want_nr);
	for (size_t i = 0; want_nr < 0 && i < NCALLS; i++)
		trace_call(f, seccomp_syscall_resolve_name(calls[i]));
	if (seccomp_load(f) < 0)
		die("the filter cannot be loaded");
	seccomp_release(f);
}

/* --- what a call is about ------------------------------------------------------------------ */

static bool read_text(pid_t pid, uint64_t at, char out_text[TEXT_MAX])
{
	struct iovec to = {out_text, TEXT_MAX - 1};
	struct iovec from = {(void *)(uintptr_t)at, TEXT_MAX - 1};
	ssize_t n = process_vm_readv(pid, &to, 1, &from, 1, 0);

	if (n <= 0) {
		from.iov_len = to.iov_len =
			4096 - at % 4096 < TEXT_MAX - 1 ? 4096 - at % 4096 : TEXT_MAX - 1;
		n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	}
	out_text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool takes_path(const char *name, int *arg)
{
	static const char *const first[] = {"open", "stat", "access", "mkdir", "rename", "unlink",
		"readlink", "mount", "statfs", "execve", "chdir", "umount2", "lsetxattr",
		"llistxattr", "lgetxattr", "setxattr", "getxattr", "listxattr", "lchown"};

	*arg = 0;
	for (size_t i = 0; i < sizeof first / sizeof *first; i++)
		if (strcmp(first[i], name) == 0)
			return true;
	*arg = strcmp(name, "symlinkat") == 0 ? 2 : 1;
	return strstr(name, "at") && strcmp(name, "fallocate") != 0 &&
	       strcmp(name, "ftruncate") != 0 && strcmp(name, "fstat") != 0 &&
	       strcmp(name, "fstatfs") != 0;
}

static void tell(pid_t pid, const char *name, const struct __ptrace_syscall_info *i)
{
	char link[64], text[TEXT_MAX];
	int arg;

	if (!out)
		return;
	snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, (int)i->seccomp.args[0]);
	ssize_t n = readlink(link, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = '\0';
	fprintf(out, "%s %s", name, text);
	if (takes_path(name, &arg) && read_text(pid, i->seccomp.args[arg], text)) {
		text[strcspn(text, "\n")] = '\0';
		fprintf(out, " \"%s\"", text);
	}
	if (strcmp(name, "clone3") == 0) {
		uint64_t flags = 0;
		struct iovec to = {&flags, sizeof flags};
		struct iovec from = {(void *)(uintptr_t)i->seccomp.args[0], sizeof flags};
		(void)process_vm_readv(pid, &to, 1, &from, 1, 0);
		fprintf(out, " flags %#llx", (unsigned long long)flags);
	}
	fputc('\n', out);
}

/* --- who called ---------------------------------------------------------------------------- */

struct map {
	uint64_t from, to, offset, file;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	return (h ^ v) * 0x9e3779b97f4a7c15u ^ h >> 29;
}

static size_t read_maps(pid_t pid, struct map maps[MAPS_MAX])
{
	char path[64], line[512];
	size_t n = 0;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	FILE *f = fopen(path, "re");
	while (f && n < MAPS_MAX && fgets(line, sizeof line, f)) {
		struct map *m = &maps[n];
		unsigned long from, to, offset, file;
		char mode[8];
		if (sscanf(line, "%lx-%lx %7s %lx %*s %lu", &from, &to, mode, &offset, &file) !=
				5 ||
			mode[2] != 'x')
			continue;
		*m = (struct map){from, to, offset, file};
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

/* Is it behind an instruction that calls? What is left on the stack of earlier calls is so too: two
 * calls of one site may look like two sites, but hardly the other way round. */
static bool returns_here(pid_t pid, uint64_t at)
{
	unsigned char b[8];
	struct iovec to = {b, sizeof b}, from = {(void *)(uintptr_t)(at - sizeof b), sizeof b};

	if (process_vm_readv(pid, &to, 1, &from, 1, 0) != (ssize_t)sizeof b)
		return false;
#if defined(__x86_64__)
	return b[3] == 0xe8 || (b[6] == 0xff && (b[7] & 0xf8) == 0xd0) ||
	       (b[5] == 0xff && (b[6] & 0xf8) == 0x50) || (b[2] == 0xff && (b[3] & 0x38) == 0x10);
#else
	return at % 4 == 0;
#endif
}

static uint64_t site_of(pid_t pid, uint64_t ip, uint64_t sp)
{
	struct map maps[MAPS_MAX];
	uint64_t stack[STACK_MAX], h = 1;
	size_t nmaps = read_maps(pid, maps), callers = 0;
	struct iovec to = {stack, sizeof stack}, from = {(void *)(uintptr_t)sp, sizeof stack};
	ssize_t got = process_vm_readv(pid, &to, 1, &from, 1, 0);

	if (got <= 0) { /* the stack ends before that */
		from.iov_len = to.iov_len = 4096 - sp % 4096;
		got = process_vm_readv(pid, &to, 1, &from, 1, 0);
	}
	for (ssize_t i = -1; i < got / 8 && callers < CALLERS; i++) {
		uint64_t at = i < 0 ? ip : stack[i];
		for (size_t m = 0; m < nmaps; m++)
			if (at > maps[m].from + 8 && at < maps[m].to &&
				(i < 0 || returns_here(pid, at))) {
				h = mix(mix(h, maps[m].file), at - maps[m].from + maps[m].offset);
				callers++;
				break;
			}
	}
	return h;
}

/* --- stops --------------------------------------------------------------------------------- */

/* The call is not made: number -1 leaves the result to us. */
static void refuse(pid_t pid, int error)
{
#if defined(__x86_64__)
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, 0, &r) < 0)
		return;
	r.orig_rax = (unsigned long long)-1;
	r.rax = (unsigned long long)-error;
	ptrace(PTRACE_SETREGS, pid, 0, &r);
#elif defined(__aarch64__)
	struct user_regs_struct r;
	int none = -1;
	struct iovec v = {&r, sizeof r}, w = {&none, sizeof none};

	if (ptrace(PTRACE_GETREGSET, pid, (void *)1, &v) < 0)
		return;
	r.regs[0] = (unsigned long long)-error;
	ptrace(PTRACE_SETREGSET, pid, (void *)1, &v);
	ptrace(PTRACE_SETREGSET, pid, (void *)0x404 /* NT_ARM_SYSTEM_CALL */, &w);
#else
#error "how is a call refused here?"
#endif
}

static void on_call(struct task *t)
{
	struct __ptrace_syscall_info i;

	if (t->foreign || ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, (void *)sizeof i, &i) <= 0 ||
		i.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return;
	int nr = (int)i.seccomp.nr;
	if (!begun) {
		begun = nr == SCMP_SYS(munmap);
		return;
	}
	if (nr < 0 || nr >= CALLS_MAX || nr == SCMP_SYS(munmap))
		return;
	counts[nr]++;
	if (sites && out) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		fprintf(out, "%s %lu %016llx\n", name ? name : "?", counts[nr],
			(unsigned long long)site_of(
				t->pid, i.instruction_pointer, i.stack_pointer));
		free(name);
	}
	if (nr != want_nr || counts[nr] < want_n || (counts[nr] > want_n && !lasting))
		return;
	if (lasting && nr == SCMP_SYS(write) && i.seccomp.args[0] == STDERR_FILENO)
		return;
	if (counts[nr] == want_n) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		tell(t->pid, name ? name : "?", &i);
		free(name);
	}
	refuse(t->pid, want_error);
}

static void on_new(pid_t parent)
{
	unsigned long child;

	if (ptrace(PTRACE_GETEVENTMSG, parent, 0, &child) < 0)
		return;
	bool foreign = task_of(parent)->foreign;
	task_of((pid_t)child)->foreign = foreign;
}

/* One stop of one process; the signal that it is to get. */
static int on_stop(pid_t pid, int status, bool *first_exec)
{
	int event = status >> 16, sig = WSTOPSIG(status);
	struct task *t = task_of(pid);

	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		on_call(t);
		return 0;
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		on_new(pid);
		return 0;
	case PTRACE_EVENT_EXEC:
		t->foreign = !*first_exec;
		*first_exec = false;
		return 0;
	case PTRACE_EVENT_STOP:
		return 0;
	default:
		return event ? 0 : sig;
	}
}

static int follow(pid_t child)
{
	bool first_exec = true;
	int status, result = STATUS_OWN;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid <= 0)
			continue;
		if (WIFSTOPPED(status)) {
			int sig = on_stop(pid, status, &first_exec);
			bool group =
				status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP;
			ptrace(group ? PTRACE_LISTEN : PTRACE_CONT, pid, 0, (long)sig);
			continue;
		}
		forget(pid);
		if (pid == child)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return result;
}

static int run(char **argv)
{
	int go[2];
	char c = 0;

	if (pipe2(go, O_CLOEXEC) < 0)
		die("pipe");
	pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(STATUS_OWN);
		install();
		execvp(argv[0], argv);
		die("%s: %s", argv[0], strerror(errno));
	}
	close(go[0]);
	signal(SIGINT, SIG_IGN); /* they are COMMAND's */
	task_of(child);
	if (ptrace(PTRACE_SEIZE, child, 0,
		    (long)(PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			    PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) < 0)
		die("ptrace: %s", strerror(errno));
	if (write(go[1], &c, 1) != 1)
		die("pipe");
	close(go[1]);
	return follow(child);
}

int main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "+c:n:e:o:s")) != -1) {
		switch (opt) {
		case 'c':
			want_nr = seccomp_syscall_resolve_name(optarg);
			if (want_nr < 0)
				die("%s: no such call", optarg);
			break;
		case 'n':
			want_n = strtoul(optarg, NULL, 10);
			break;
		case 'e':
			want_error = error_of(optarg);
			break;
		case 's':
			sites = true;
			break;
		case 'o':
			out = fopen(optarg, "we");
			if (!out)
				die("%s: %s", optarg, strerror(errno));
			break;
		default:
			die("see the head of inject.c");
		}
	}
	if (optind == argc || (want_nr >= 0 && (!want_n || !want_error)))
		die("see the head of inject.c");
	int r = run(argv + optind);
	for (size_t i = 0; want_nr < 0 && !sites && out && i < NCALLS; i++) {
		int nr = seccomp_syscall_resolve_name(calls[i]);
		if (nr >= 0 && nr < CALLS_MAX && counts[nr])
			fprintf(out, "%s %lu\n", calls[i], counts[nr]);
	}
	return r;
}
