// SPDX-License-Identifier: Apache-2.0
/* fork and exec, and one loop over the pipes and the end of the child. See child.h. */
#include "store/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/base/cancel.h"
#include "store/base/deadline.h"
#include "store/base/mem.h"

#define CANCEL_MS 100 /* how often a request to stop is looked for */
#define LOOK_MS   20  /* and the end of the child, where the kernel has no pidfd_open */
#define PIECE     ((size_t)16 << 10)
#define REST_MAX  64                /* pieces: more than a pipe holds */
#define FDS_MAX   ((rlim_t)1 << 20) /* closed one by one where there is no close_range */
#define FD_FAILED 3                 /* in the child, until exec closes it */

/* --- between fork and exec -------------------------------------------------------------------- */

struct begin {
	const struct child_spec *spec;
	const char *path;
	char *const *env;
	int fds[3];
	int failed; /* closed by exec, or told why there was none */
	pid_t parent;
};

/* The three above FD_FAILED first, so that none is overwritten before it is in its place. */
static int place_fds(const struct begin *b)
{
	int high[3];

	for (int i = 0; i < 3; i++)
		if ((high[i] = fcntl(b->fds[i], F_DUPFD_CLOEXEC, FD_FAILED + 1)) < 0)
			return -1;
	if (b->failed != FD_FAILED && dup3(b->failed, FD_FAILED, O_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	return 0;
}

/* Ours are closed by exec; here go those that bld itself was started with. */
static void child_close_others(void)
{
	struct rlimit most = {0};

	if (close_range(FD_FAILED + 1, ~0U, 0) == 0)
		return;
	(void)getrlimit(RLIMIT_NOFILE, &most);
	for (rlim_t fd = FD_FAILED + 1; fd < most.rlim_cur && fd < FDS_MAX; fd++)
		close((int)fd);
}

/* What was ignored for bld stays so (nohup), but for SIGPIPE, which bld ignores for itself. A
 * handler must not run here once signals are let in. */
static void usual_signals(void)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	struct sigaction now;
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig == SIGPIPE ||
			(sigaction(sig, NULL, &now) == 0 && now.sa_handler != SIG_DFL &&
				now.sa_handler != SIG_IGN))
			(void)sigaction(sig, &usual, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In a program with threads: system calls only. */
static _Noreturn void become(const struct begin *b)
{
	const struct child_spec *s = b->spec;
	const struct rlimit most = {s->file_max, s->file_max};
	int failed = b->failed;

	/* A parent that died before this was asked for would leave the child behind. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == b->parent &&
		(s->dir == AT_FDCWD || fchdir(s->dir) == 0) && place_fds(b) == 0) {
		failed = FD_FAILED;
		child_close_others();
		if ((!s->session || setsid() > 0) &&
			(!s->no_new_privs || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) &&
			(!s->file_max || setrlimit(RLIMIT_FSIZE, &most) == 0)) {
			usual_signals();
			execve(b->path, s->argv, b->env);
		}
	}
	int error = errno;
	_exit(write(failed, &error, sizeof error) == sizeof error);
}

/* --- start and end ---------------------------------------------------------------------------- */

/* The file behind a name; owned; NULL errno. */
static char *child_find(const char *program)
{
	const char *path = getenv("PATH");
	int error = ENOENT;

	if (strchr(program, '/'))
		return mem_strdup(program);
	for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
		size_t len = strcspn(at, ":");
		auto_free char *file = mem_printf("%.*s/%s", (int)len, at, program);
		struct stat sb;

		if (*at == '/' && stat(file, &sb) == 0 && S_ISREG(sb.st_mode)) {
			if (faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) == 0)
				return TAKE(file);
			error = errno;
		}
		at += len + (at[len] == ':');
	}
	errno = error;
	return NULL;
}

/* No handler of ours runs in the child: until it has none, all signals wait. */
static pid_t fork_quietly(const struct begin *b)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		become(b);
	int error = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return pid;
}

/* The wait status as one number. */
static int child_reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 255; /* somebody else took it: not ours to say */
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_start(const struct child_spec *spec, const int fds[3], struct child *out)
{
	auto_free char *path = child_find(spec->argv[0]);
	auto_fd int null = path ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
	struct begin b = {.spec = spec, .path = path, .parent = getpid()};
	int failed[2], error = 0;
	ssize_t n;

	if (null < 0 || pipe2(failed, O_CLOEXEC) < 0)
		return errno;
	auto_fd int from = failed[0], to = failed[1];
	for (int i = 0; i < 3; i++)
		b.fds[i] = fds[i] < 0 ? null : fds[i];
	b.env = spec->env ? spec->env : environ;
	b.failed = to;
	pid_t pid = fork_quietly(&b);
	if (pid < 0)
		return errno;
	close(TAKE_FD(to));
	while ((n = read(from, &error, sizeof error)) < 0 && errno == EINTR)
		;
	if (n != 0) {
		if (n < 0)
			error = errno;
		(void)kill(pid, SIGKILL);
		child_reap(pid);
		return n < 0 || error ? error : ECHILD; /* 0: the parent of the thread is gone */
	}
	*out = (struct child){.pid = pid, .session = spec->session};
	return 0;
}

/* Before it is reaped: until then its number is nobody else's. */
static void kill_all(const struct child *c)
{
	(void)kill(c->session ? -c->pid : c->pid, SIGKILL);
}

int child_stop(struct child *c)
{
	int status = 0;

	if (c->pid) {
		kill_all(c);
		status = child_reap(c->pid);
	}
	c->pid = 0;
	return status;
}

/* --- talking ---------------------------------------------------------------------------------- */

struct session {
	const struct child_talk *talk;
	struct child child;
	int in, out, said, end; /* owned; -1: closed, or there is none */
	size_t given;
	bool broken; /* a write met nobody */
};

static void close_one(int *fd)
{
	fd_close(*fd);
	*fd = -1;
}

/* The input, as much as there is room for. */
static void child_give(struct session *s)
{
	const char *p = s->talk->input;
	ssize_t n = write(s->in, p + s->given, s->talk->input_len - s->given);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0 && errno == EPIPE)
		s->broken = true;
	if (n > 0)
		s->given += (size_t)n;
	if (n < 0 || s->given == s->talk->input_len)
		close_one(&s->in);
}

/* One piece: 1 there may be more, 0 nothing at the moment or its end, -1 more than fits. */
static int child_take(int *fd, struct buf *to, bool clip)
{
	char piece[PIECE];
	ssize_t n = read(*fd, piece, sizeof piece);
	int rc = 1;

	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		close_one(fd);
		return 0;
	}
	size_t room = to->max - to->len, keep = clip && (size_t)n > room ? room : (size_t)n;
	if (buf_add(to, piece, keep) < 0)
		rc = -1;
	explicit_bzero(piece, (size_t)n);
	return rc;
}

/* What an ended child left in its pipes; who else still writes to them is not listened to. */
static int take_rest(struct session *s)
{
	int rc = 1, more = 1;

	for (int i = 0; i < REST_MAX && rc > 0 && s->out >= 0; i++)
		rc = child_take(&s->out, s->talk->out, false);
	for (int i = 0; i < REST_MAX && more > 0 && s->said >= 0; i++)
		more = child_take(&s->said, s->talk->said, true);
	return rc < 0 ? -1 : 0;
}

static bool has_ended(const struct session *s, const struct pollfd *end)
{
	siginfo_t info = {0};

	if (s->end >= 0)
		return end->revents != 0;
	return waitid(P_PID, (id_t)s->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == s->child.pid;
}

/* For how long nothing has to be looked at but descriptors; -1: for ever. */
static int child_patience(const struct session *s, struct deadline end)
{
	return deadline_poll(end, s->end < 0 ? LOOK_MS : s->talk->cancelled ? CANCEL_MS : -1);
}

static enum child_end child_converse(struct session *s)
{
	const struct child_talk *t = s->talk;
	struct deadline end = deadline_limit(t->limit_ms);

	for (;;) {
		struct pollfd p[] = {{.fd = s->end, .events = POLLIN},
			{.fd = s->in, .events = POLLOUT}, {.fd = s->out, .events = POLLIN},
			{.fd = s->said, .events = POLLIN}};

		if (cancel_asked(t->cancelled))
			return CHILD_CANCELLED;
		if (deadline_over(end))
			return CHILD_LATE;
		if (poll(p, ARRAY_LEN(p), child_patience(s, end)) < 0) {
			if (errno != EINTR)
				return CHILD_LOST;
			continue;
		}
		if (p[1].revents)
			child_give(s);
		if (has_ended(s, &p[0]))
			return take_rest(s) < 0 ? CHILD_TALKATIVE : CHILD_ENDED;
		if (p[2].revents && child_take(&s->out, t->out, false) < 0)
			return CHILD_TALKATIVE;
		if (p[3].revents)
			child_take(&s->said, t->said, true);
	}
}

/* A pipe whose end of ours does not block: 0 / -1 errno. */
static int make_pipe(int *ours, int *its, bool we_write)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	*ours = p[we_write];
	*its = p[!we_write];
	return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

/* 0 or an errno. */
static int child_begin(const struct child_spec *spec, struct session *s)
{
	const struct child_talk *t = s->talk;
	auto_fd int in = -1, out = -1, said = -1;

	if ((t->input && make_pipe(&s->in, &in, true) < 0) ||
		(t->out && make_pipe(&s->out, &out, false) < 0) ||
		(t->said && make_pipe(&s->said, &said, false) < 0))
		return errno;
	int error = child_start(spec, (const int[]){in, out, said}, &s->child);
	if (error == 0)
		s->end = pidfd_open(s->child.pid, 0);
	return error;
}

/* Writing to a child that does not read must not end us, nor leave a signal behind. */
static void block_sigpipe(sigset_t *old, bool *pending)
{
	sigset_t pipe, waiting;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, old);
	sigpending(&waiting);
	*pending = sigismember(&waiting, SIGPIPE);
}

static void restore_sigpipe(const sigset_t *old, bool eat)
{
	const struct timespec now = {0};
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	while (eat && sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

enum child_end child_run(const struct child_spec *spec, const struct child_talk *talk, int *value)
{
	struct session s = {.talk = talk, .in = -1, .out = -1, .said = -1, .end = -1};
	enum child_end end = CHILD_UNSTARTED;
	sigset_t old;
	bool pending;

	block_sigpipe(&old, &pending);
	*value = child_begin(spec, &s);
	if (*value == 0) {
		if (talk->input && talk->input_len == 0)
			close_one(&s.in);
		end = child_converse(&s);
		int error = errno;
		int status = child_stop(&s.child);
		*value = end == CHILD_LOST ? error : status;
	}
	close_one(&s.in);
	close_one(&s.out);
	close_one(&s.said);
	close_one(&s.end);
	restore_sigpipe(&old, s.broken && !pending);
	return end;
}
