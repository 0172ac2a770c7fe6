// SPDX-License-Identifier: Apache-2.0
/*
 * refuse WHAT... -- COMMAND [ARGUMENT...]
 *
 * Runs COMMAND as on a kernel that lacks something, or in a container that forbids it. WHAT is one
 * of these; "=ERRNO" (a name or a number) may follow:
 *
 *	CALL              a system call: open_tree, mount_setattr, openat2 ...       (ENOSYS)
 *	fsopen:TYPE       the file system of this name; mount:TYPE for mount(2)      (ENODEV)
 *	fsconfig:KEY      this option of any file system: lowerdir+, volatile ...    (EINVAL)
 *	create:TYPE       the last step, when such a file system is to be created    (EINVAL)
 *	ia32              calls of 32-bit programs: whoever makes one is killed
 *
 * A call is answered by a filter; strings are looked at by a supervisor, a process of its own that
 * ends when the last process under the filter has ended. COMMAND takes the place of this program,
 * so it keeps its process id, and signals and exit status are its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "which audit architecture is this?"
#endif

#define RULES_MAX   64
#define THREADS_MAX 256
#define TEXT_MAX    64

struct rule {
	int nr;
	int error;
	int arg;          /* number of the argument that is the string, -1 = every call */
	const char *text; /* what it must be */
	int create;       /* text is a type: of the file system that FSCONFIG_CMD_CREATE is for */
};

/* The type that a thread opened last; a create belongs to it. */
struct opened {
	uint32_t thread;
	char type[TEXT_MAX];
};

static struct rule rules[RULES_MAX];
static size_t nrules;
static struct opened opened[THREADS_MAX];
static size_t nopened;
static int no_ia32;

static void die(const char *what)
{
	fprintf(stderr, "refuse: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void usage(const char *why)
{
	fprintf(stderr, "refuse: %s\nusage: refuse WHAT... -- COMMAND [ARGUMENT...]\n", why);
	exit(125);
}

/* --- what to refuse ------------------------------------------------------------------------- */

static int parse_errno(const char *s)
{
	for (int e = 1; e < 134; e++)
		if (strerrorname_np(e) && strcmp(strerrorname_np(e), s) == 0)
			return e;
	if (atoi(s) <= 0)
		usage(s);
	return atoi(s);
}

static void add_rule(const char *word)
{
	static const struct {
		const char *name, *call;
		int arg, error, create;
	} forms[] = {
		{"fsopen", "fsopen", 0, ENODEV, 0},
		{"mount", "mount", 2, ENODEV, 0},
		{"fsconfig", "fsconfig", 2, EINVAL, 0},
		{"create", "fsconfig", 0, EINVAL, 1},
	};
	char *name = strdup(word), *error = strchr(name, '='), *text = strchr(name, ':');
	struct rule r = {.arg = -1, .error = ENOSYS};

	if (strcmp(word, "ia32") == 0) {
		no_ia32 = 1;
		return;
	}
	if (error)
		*error++ = '\0';
	if (text) {
		*text++ = '\0';
		for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
			if (strcmp(forms[i].name, name) != 0)
				continue;
			r = (struct rule){.arg = forms[i].arg,
				.error = forms[i].error,
				.create = forms[i].create,
				.text = text};
			r.nr = seccomp_syscall_resolve_name(forms[i].call);
		}
		if (r.arg < 0)
			usage(word);
	} else {
		r.nr = seccomp_syscall_resolve_name(name);
	}
	if (r.nr < 0)
		usage(word);
	if (error)
		r.error = parse_errno(error);
	if (nrules == RULES_MAX)
		usage("too many");
	rules[nrules++] = r;
}

/* --- the filter ----------------------------------------------------------------------------- */

static int install(void)
{
	struct sock_filter code[2 * RULES_MAX + 16];
	struct sock_fprog prog = {.filter = code};
	unsigned short n = 0;
	int notify = 0, fd;

#define EMIT(...) (code[n++] = (struct sock_filter)__VA_ARGS__)
	EMIT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
	EMIT(BPF_STMT(BPF_RET | BPF_K, no_ia32 ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ALLOW));
	EMIT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < nrules; i++) { /* those that need no look at a string come first */
		if (rules[i].arg >= 0)
			continue;
		EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)rules[i].nr, 0, 1));
		EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)rules[i].error));
	}
	for (size_t i = 0; i < nrules; i++) {
		if (rules[i].arg < 0)
			continue;
		notify = 1;
		EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)rules[i].nr, 0, 1));
		EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
	}
	if (notify) { /* to know what is created */
		EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsopen, 0, 1));
		EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
	}
	EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
#undef EMIT
	prog.len = n;
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no_new_privs");
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &prog);
	if (fd < 0)
		die("seccomp");
	return notify ? fd : -1;
}

/* --- the supervisor ------------------------------------------------------------------------- */

/* Text of the process; it waits in the call meanwhile. Empty when it cannot be read. */
static void read_text(uint32_t thread, uint64_t address, char out[TEXT_MAX])
{
	char path[64];
	ssize_t n = 0;
	int fd;

	out[0] = '\0';
	if (!address)
		return;
	snprintf(path, sizeof path, "/proc/%u/mem", thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* The string may end just before a page that is not there. */
	for (size_t want = TEXT_MAX - 1; want > 0 && n <= 0; want /= 2)
		n = pread(fd, out, want, (off_t)address);
	out[n > 0 ? n : 0] = '\0';
	close(fd);
}

static struct opened *of_thread(uint32_t thread)
{
	for (size_t i = 0; i < nopened && i < THREADS_MAX; i++)
		if (opened[i].thread == thread)
			return &opened[i];
	struct opened *o = &opened[nopened++ % THREADS_MAX];
	*o = (struct opened){.thread = thread};
	return o;
}

static int judge(const struct seccomp_notif *q)
{
	char text[TEXT_MAX];

	if (q->data.nr == SYS_fsopen)
		read_text(q->pid, q->data.args[0], of_thread(q->pid)->type);
	for (size_t i = 0; i < nrules; i++) {
		const struct rule *r = &rules[i];

		if (r->arg < 0 || r->nr != q->data.nr)
			continue;
		if (r->create) {
			if ((unsigned)q->data.args[1] == FSCONFIG_CMD_CREATE &&
				strcmp(of_thread(q->pid)->type, r->text) == 0)
				return r->error;
			continue;
		}
		read_text(q->pid, q->data.args[r->arg], text);
		if (strcmp(text, r->text) == 0)
			return r->error;
	}
	return 0;
}

static void supervise(int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};

	for (;;) {
		struct seccomp_notif q = {0};
		struct seccomp_notif_resp a = {0};

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return;
		if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
			return;
		if (!(p.revents & POLLIN) || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &q) < 0)
			continue; /* who asked was killed */
		int error = judge(&q);
		a.id = q.id;
		a.error = -error;
		a.flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &a);
	}
}

/* A message of one byte with room for one descriptor; it points into itself. */
struct fd_message {
	char byte;
	struct iovec iov;
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	struct msghdr m;
};

static void prepare(struct fd_message *x)
{
	*x = (struct fd_message){.iov = {&x->byte, 1}};
	x->m = (struct msghdr){.msg_iov = &x->iov,
		.msg_iovlen = 1,
		.msg_control = x->room,
		.msg_controllen = sizeof x->room};
}

static void send_fd(int sock, int fd)
{
	struct fd_message x;

	prepare(&x);
	*CMSG_FIRSTHDR(&x.m) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&x.m)), &fd, sizeof fd);
	if (sendmsg(sock, &x.m, 0) < 0)
		die("send the listener");
}

static int receive_fd(int sock)
{
	struct fd_message x;
	int fd;

	prepare(&x);
	if (recvmsg(sock, &x.m, MSG_CMSG_CLOEXEC) <= 0 || x.m.msg_controllen < CMSG_LEN(sizeof fd))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&x.m)), sizeof fd);
	return fd;
}

/* A grandchild, so that COMMAND has no child that it does not know of. It keeps no file open. */
static void start_supervisor(int sock)
{
	pid_t pid = fork();
	int listener;

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		if (waitpid(pid, NULL, 0) < 0)
			die("wait");
		return;
	}
	if (fork() != 0)
		_exit(0);
	setsid();
	if (dup2(sock, 0) < 0)
		_exit(1);
	close_range(1, ~0U, 0);
	if (chdir("/") == 0 && (listener = receive_fd(0)) >= 0) {
		close(0);
		supervise(listener);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int pair[2], i, fd;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		add_rule(argv[i]);
	if (i + 1 >= argc)
		usage("there is no command");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	start_supervisor(pair[1]);
	close(pair[1]);
	fd = install();
	if (fd >= 0) {
		send_fd(pair[0], fd);
		close(fd);
	}
	close(pair[0]); /* without a listener the supervisor has nothing to do */
	execvp(argv[i + 1], argv + i + 1);
	die(argv[i + 1]);
}
