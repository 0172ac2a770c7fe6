// SPDX-License-Identifier: Apache-2.0
#include "builder/git/gitrun.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cancel.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define POLL_MS  100
#define SAID_MAX ((size_t)16 << 10) /* of its messages */
#define PIECE    ((size_t)16 << 10)

/* --- what it sees --------------------------------------------------------------------------- */

static void add_config(struct strlist *env, unsigned *n, const char *key, const char *value)
{
	strlist_addf(env, "GIT_CONFIG_KEY_%u=%s", *n, key);
	strlist_addf(env, "GIT_CONFIG_VALUE_%u=%s", *n, value);
	(*n)++;
}

static void add_configs(struct strlist *env, const struct gitrun *g)
{
	static const char *const fixed[][2] = {
		{"core.hooksPath", "/dev/null"},
		{"core.fsmonitor", "false"},
		{"core.symlinks", "true"},
		{"core.fileMode", "true"},
		{"core.autocrlf", "false"},
		{"core.askPass", "/bin/false"},
		{"credential.helper", ""},
		{"credential.interactive", "never"},
		{"protocol.allow", "never"},
		{"protocol.http.allow", "always"},
		{"protocol.https.allow", "always"},
		{"protocol.ssh.allow", "always"},
		{"protocol.git.allow", "always"},
		{"protocol.version", "2"},
		{"http.lowSpeedLimit", "1000"},
		{"http.lowSpeedTime", "60"},
		{"gc.auto", "0"},
		{"maintenance.auto", "false"},
		{"fetch.recurseSubmodules", "false"},
		{"submodule.recurse", "false"},
		{"safe.directory", "*"},
		{"advice.detachedHead", "false"},
		{"init.defaultBranch", "main"},
	};
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		add_config(env, &n, fixed[i][0], fixed[i][1]);
	if (g->authorization && g->origin) {
		auto_free char *key = mem_printf("http.%s/.extraHeader", g->origin);
		auto_free char *value = mem_printf("Authorization: %s", g->authorization);
		add_config(env, &n, key, value);
		explicit_bzero(value, strlen(value));
		/* The header would go wherever a redirect leads. */
		add_config(env, &n, "http.followRedirects", "false");
	}
	strlist_addf(env, "GIT_CONFIG_COUNT=%u", n);
}

static void pass(struct strlist *env, const char *name)
{
	const char *value = getenv(name);

	if (value)
		strlist_addf(env, "%s=%s", name, value);
}

/* ssh finds the home directory by itself, whatever HOME says: neither its configuration (which may
 * name keys, agents and commands) nor its keys. Without an agent IdentityAgent names none. */
#define SSH_FOREIGN                                                                                \
	"GIT_SSH_COMMAND=ssh -F none -o BatchMode=yes -o IdentityFile=none "                       \
	"-o GSSAPIAuthentication=no -o HostbasedAuthentication=no -o ForwardAgent=no"

static void make_env(struct strlist *env, const struct gitrun *g)
{
	static const char *const fixed[] = {"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_PROTOCOL_FROM_USER=0",
		"GIT_ALLOW_PROTOCOL=http:https:ssh:git", "GIT_LFS_SKIP_SMUDGE=1",
		"GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1", "LC_ALL=C"};
	static const char *const passed[] = {"PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"};
	static const char *const own[] = {"HOME", "SSH_AUTH_SOCK"};

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		strlist_add(env, fixed[i]);
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		pass(env, passed[i]);
	for (size_t i = 0; i < ARRAY_LEN(own) && !g->foreign; i++)
		pass(env, own[i]);
	strlist_add(env, g->foreign ? SSH_FOREIGN : "GIT_SSH_COMMAND=ssh -o BatchMode=yes");
	if (g->foreign)
		strlist_add(env, "HOME=/dev/null"); /* without any, libcurl asks passwd for it */
	if (g->foreign && g->agent)
		strlist_addf(env, "SSH_AUTH_SOCK=%s", g->agent);
	for (size_t i = 0; g->proxies && i < g->proxies->n; i++)
		strlist_add(env, g->proxies->v[i]);
	add_configs(env, g);
}

/* --- the child ------------------------------------------------------------------------------ */

/* What a child begins with. */
struct program {
	char **argv, **env;
	int dir, in, out, said;
	int failed; /* closed by exec, or told why there was none */
	pid_t parent;
};

/*
 * Between fork and exec, in a program with threads: system calls only. In a session of its own
 * there is no terminal to ask at, and all that it starts ends with it. It is killed when the thread
 * ends that waits for it, so also when bld is killed.
 */
static _Noreturn void become(const struct program *p)
{
	const struct rlimit most = {GITRUN_FILE_MAX, GITRUN_FILE_MAX};
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigaction(SIGPIPE, &usual, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == p->parent &&
		setsid() > 0 && syscall(SYS_fchdir, p->dir) == 0 && dup2(p->in, 0) == 0 &&
		dup2(p->out, 1) == 1 && dup2(p->said, 2) == 2 &&
		setrlimit(RLIMIT_FSIZE, &most) == 0)
		execvpe(p->argv[0], p->argv, p->env);
	int error = errno;
	_exit(write(p->failed, &error, sizeof error) == sizeof error);
}

/* 0, or an errno. */
static int spawn(pid_t *pid, int dir_fd, char **argv, char **env, int out, int said)
{
	auto_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	auto_fd int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int failed[2], error = 0;
	ssize_t n;

	if (null < 0 || top < 0 || pipe2(failed, O_CLOEXEC) < 0)
		return errno;
	const struct program p = {.argv = argv,
		.env = env,
		.dir = dir_fd < 0 ? top : dir_fd,
		.in = null,
		.out = out,
		.said = said,
		.failed = failed[1],
		.parent = getpid()};
	*pid = fork();
	if (*pid == 0)
		become(&p);
	if (*pid < 0)
		error = errno;
	close(failed[1]);
	while (*pid > 0 && (n = read(failed[0], &error, sizeof error)) < 0 && errno == EINTR)
		;
	close(failed[0]);
	while (*pid > 0 && error && waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	return error;
}

struct child {
	pid_t pid;
	int out; /* owned */
	int said;
};

static int start(const struct gitrun *g, int dir_fd, const char *const *args, struct child *c,
	struct err **err)
{
	auto_strlist struct strlist argv = {0};
	auto_strlist struct strlist env = {0};
	int out[2], said[2];

	strlist_add(&argv, "git");
	for (size_t i = 0; args[i]; i++)
		strlist_add(&argv, args[i]);
	make_env(&env, g);
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(err, "git");
	if (pipe2(said, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return err_sys(err, "git");
	}
	int rc = spawn(&c->pid, dir_fd, argv.v, env.v, out[1], said[1]);
	for (size_t i = 0; i < env.n; i++)
		explicit_bzero(env.v[i], strlen(env.v[i]));
	close(out[1]);
	close(said[1]);
	c->out = out[0];
	c->said = said[0];
	if (rc == 0)
		return 0;
	close(out[0]);
	close(said[0]);
	errno = rc;
	if (rc != ENOENT)
		return err_sys(err, "git");
	err_set(err, ERR_UNSUPPORTED, "git is not installed, and a git repository is to be read");
	return err_hint(err, "install the package git");
}

/* One piece of one pipe: 1 there may be more, 0 its end, -1 more than fits. */
static int take(int *fd, struct buf *to, bool clip)
{
	char piece[PIECE];
	ssize_t n = read(*fd, piece, sizeof piece);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
		return 0;
	}
	if (clip && to->len + (size_t)n > SAID_MAX)
		return 1;
	return buf_add(to, piece, (size_t)n) < 0 ? -1 : 1;
}

static int listen_to(const struct gitrun *g, struct child *c, struct buf *out, struct buf *said,
	struct err **err)
{
	while (c->out >= 0 || c->said >= 0) {
		struct pollfd p[] = {
			{.fd = c->out, .events = POLLIN}, {.fd = c->said, .events = POLLIN}};
		int n = poll(p, 2, POLL_MS);
		if (cancel_asked(g->cancelled))
			return err_set(err, ERR_CANCELLED, "interrupted");
		if (n <= 0)
			continue;
		if (p[0].revents && take(&c->out, out, false) < 0)
			return err_set(err, ERR_LIMIT, "git: more than %zu bytes of output",
				GITRUN_OUT_MAX);
		if (p[1].revents)
			take(&c->said, said, true);
	}
	return 0;
}

/* The line that says why: the first "fatal:" of a server or of git, else the last one. */
static char *reason(const char *text)
{
	static const char *const marks[] = {"fatal: ", "error: ", "ERROR: "};
	const char *best = NULL, *last = "";

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		for (size_t i = 0; i < ARRAY_LEN(marks) && !best; i++)
			if (strncmp(line, marks[i], strlen(marks[i])) == 0)
				best = line + strlen(marks[i]);
		if (len)
			last = line;
		line += len + (line[len] == '\n');
	}
	best = best ? best : last;
	auto_free char *one = mem_strndup(best, strcspn(best, "\r\n"));
	return fs_printable(one);
}

int gitrun(const struct gitrun *g, int dir_fd, const char *const *args, struct buf *out,
	char **said, struct err **err)
{
	auto_buf struct buf unused = {0}, words = {0};
	struct child c;
	int status = 0;

	buf_init(&unused, GITRUN_OUT_MAX);
	buf_init(&words, SAID_MAX + PIECE);
	if (start(g, dir_fd, args, &c, err) < 0)
		return -1;
	int heard = listen_to(g, &c, out ? out : &unused, &words, err);
	if (heard < 0)
		kill(-c.pid, SIGKILL);
	if (c.out >= 0)
		close(c.out);
	if (c.said >= 0)
		close(c.said);
	while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (heard < 0)
		return -1;
	if (said)
		*said = reason(words.len ? words.data : "");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int gitrun_must(const struct gitrun *g, int dir_fd, const char *const *args, struct buf *out,
	const char *what, struct err **err)
{
	auto_free char *said = NULL;
	int status = gitrun(g, dir_fd, args, out, &said, err);

	if (status <= 0)
		return status;
	if (status == 128 + SIGXFSZ)
		return err_set(err, ERR_LIMIT, "%s: a file of more than %llu bytes", what,
			(unsigned long long)GITRUN_FILE_MAX);
	return err_set(err, ERR_NET, "%s: %s", what, *said ? said : "git failed");
}
