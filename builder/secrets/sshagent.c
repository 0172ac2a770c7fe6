// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/sshagent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

#define SOCKET_NAME "agent" /* below its directory */
#define NO_PROGRAM  127

/* --- programs -------------------------------------------------------------------------------- */

struct program {
	char *const *argv;
	int dir; /* to work in */
	int in, out;
};

/*
 * Between fork and exec, in a program with threads: system calls only. Without new privileges
 * ssh-agent is not set-group-ID, which would make the kernel forget the signal.
 */
static _Noreturn void become(const struct program *p, char *const *envp, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || getppid() != parent || setsid() < 0 ||
		syscall(SYS_fchdir, p->dir) < 0 || dup2(p->in, 0) < 0 || dup2(p->out, 1) < 0 ||
		dup2(p->out, 2) < 0)
		_exit(NO_PROGRAM);
	/* What it writes to is a pipe of ours, all else is closed on exec. */
	execvpe(p->argv[0], p->argv, envp);
	_exit(NO_PROGRAM);
}

static pid_t start(const struct program *p, struct err **err)
{
	const char *path = getenv("PATH");
	auto_free char *path_is = mem_printf("PATH=%s", path ? path : "/usr/bin:/bin");
	char socket_is[] = "SSH_AUTH_SOCK=" SOCKET_NAME, ask[] = "SSH_ASKPASS_REQUIRE=never",
	     home[] = "HOME=/";
	char *envp[] = {path_is, socket_is, ask, home, NULL};
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return err_sys_kind(err, ERR_BUILD, "start %s", p->argv[0]);
	if (pid == 0)
		become(p, envp, parent);
	return pid;
}

static int no_ssh(const char *program, struct err **err)
{
	err_set(err, ERR_BUILD, "--ssh with a key file needs %s, which is not here", program);
	return err_hint(err, "install the OpenSSH client, or use --ssh ID=SOCKET of an agent");
}

/* The first words of what it says, on one line. */
static void read_words(int fd, char *out, size_t size)
{
	size_t n = 0;
	ssize_t r;

	while (n + 1 < size &&
		((r = read(fd, out + n, size - 1 - n)) > 0 || (r < 0 && errno == EINTR)))
		n += r > 0 ? (size_t)r : 0;
	out[n] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- an agent of our own --------------------------------------------------------------------- */

/* It says where it listens once it does. */
static int start_agent(struct sshagent *a, struct err **err)
{
	char name[] = "ssh-agent", stay[] = "-D", sh[] = "-s", at[] = "-a", where[] = SOCKET_NAME;
	char *const argv[] = {name, stay, sh, at, where, NULL};
	auto_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int pipes[2];
	char byte;

	if (null < 0 || pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys_kind(err, ERR_BUILD, "ssh-agent");
	auto_fd int from = pipes[0], to = pipes[1];
	a->pid = start(&(struct program){argv, a->dir, null, to}, err);
	if (a->pid < 0) {
		a->pid = 0;
		return -1;
	}
	close(TAKE_FD(to));
	ssize_t n;
	while ((n = read(from, &byte, 1)) < 0 && errno == EINTR)
		;
	struct stat sb;
	if (n == 1 && fstatat(a->dir, SOCKET_NAME, &sb, 0) == 0 && S_ISSOCK(sb.st_mode))
		return 0;
	int status = n == 1 ? kill(a->pid, SIGKILL) : wait_for(a->pid);
	if (n == 1)
		wait_for(a->pid);
	a->pid = 0;
	return status == NO_PROGRAM ? no_ssh("ssh-agent", err)
				    : err_set(err, ERR_BUILD, "ssh-agent does not start");
}

static int read_key(const char *path, struct buf *key, struct err **err)
{
	buf_init(key, SSHAGENT_KEY_MAX);
	if (fs_read_file(AT_FDCWD, path, SSHAGENT_KEY_MAX, key, err) == 0)
		return 0;
	return err_rekind(err, ERR_CONTEXT);
}

/* Through a pipe: ssh-add then asks neither for modes of the file nor, without a terminal, for a
 * passphrase. Its capacity is what a key may have at most. */
static int add_key(const struct sshagent *a, const char *path, struct err **err)
{
	char name[] = "ssh-add", quiet[] = "-q", from_pipe[] = "-";
	char *const argv[] = {name, quiet, from_pipe, NULL};
	auto_buf struct buf key = {0};
	int in[2], out[2];
	char said[300];

	if (read_key(path, &key, err) < 0)
		return -1;
	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys_kind(err, ERR_BUILD, "ssh-add");
	auto_fd int in_r = in[0], in_w = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys_kind(err, ERR_BUILD, "ssh-add");
	auto_fd int out_r = out[0], out_w = out[1];
	/* Of a user with many pipes the kernel makes smaller ones: an error, no waiting for a
	 * reader that is not there yet. */
	int sent =
		fcntl(in_w, F_SETFL, O_NONBLOCK) < 0 ? -1 : fs_write_all(in_w, key.data, key.len);
	explicit_bzero(key.data, key.len);
	close(TAKE_FD(in_w));
	if (sent < 0)
		return err_sys_kind(err, ERR_BUILD, "ssh-add");
	pid_t pid = start(&(struct program){argv, a->dir, in_r, out_w}, err);
	if (pid < 0)
		return -1;
	close(TAKE_FD(out_w));
	read_words(out_r, said, sizeof said);
	int status = wait_for(pid);
	if (status == 0)
		return 0;
	if (status == NO_PROGRAM)
		return no_ssh("ssh-add", err);
	err_set(err, ERR_CONTEXT, "ssh-add does not take the key %s%s%s", path, *said ? ": " : "",
		said);
	return err_hint(err, "a key with a passphrase must be in an agent: --ssh ID=SOCKET");
}

static int run_agent(struct sshagent *a, struct store *s, char *keys, struct err **err)
{
	char *save = NULL;

	a->dir = store_temp_dir(s, a->temp, err);
	if (a->dir < 0 || start_agent(a, err) < 0)
		return -1;
	for (char *key = strtok_r(keys, ",", &save); key; key = strtok_r(NULL, ",", &save))
		if (add_key(a, key, err) < 0)
			return -1;
	return 0;
}

/* --- --ssh ----------------------------------------------------------------------------------- */

static int load_one(const char *spec, struct store *s, struct sshagent *a, struct err **err)
{
	const char *eq = strchr(spec, '=');
	auto_free char *from = mem_strdup(eq ? eq + 1 : "");
	struct stat sb;

	a->dir = -1;
	a->id = mem_strndup(spec, eq ? (size_t)(eq - spec) : strlen(spec));
	if (!*a->id || (eq && !*from)) {
		err_set(err, ERR_USAGE, "--ssh: \"%s\" is not ID or ID=SOCKET or ID=KEY,KEY", spec);
		return err_hint(err, "for example: --ssh default");
	}
	if (!eq) {
		const char *env = getenv("SSH_AUTH_SOCK");
		if (!env || !*env) {
			err_set(err, ERR_USAGE,
				"--ssh %s: no agent runs (SSH_AUTH_SOCK is not set)", spec);
			return err_hint(err, "start ssh-agent, or name a socket or key: --ssh "
					     "ID=PATH");
		}
		a->socket = mem_strdup(env);
		return 0;
	}
	if (!strchr(from, ',') && stat(from, &sb) == 0 && S_ISSOCK(sb.st_mode)) {
		a->socket = mem_strdup(from);
		return 0;
	}
	return run_agent(a, s, from, err) < 0 ? err_prefix(err, "--ssh %s", a->id) : 0;
}

int sshagent_load(
	const struct strlist *specs, struct store *s, struct sshagents *out, struct err **err)
{
	struct sshagents all = {.s = s};

	if (specs->n == 0)
		return 0;
	if (specs->n > SSHAGENT_MAX)
		return err_set(err, ERR_LIMIT, "more than %d times --ssh", SSHAGENT_MAX);
	all.v = mem_array(specs->n, sizeof *all.v);
	for (size_t i = 0; i < specs->n; i++) {
		struct sshagent *a = &all.v[all.n++];
		*a = (struct sshagent){0};
		if (load_one(specs->v[i], s, a, err) < 0) {
			sshagent_clear(&all);
			return -1;
		}
	}
	*out = all;
	return 0;
}

const struct sshagent *sshagent_find(const struct sshagents *a, const char *id)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i].id, id) == 0)
			return &a->v[i];
	return NULL;
}

int sshagent_connect(const struct sshagent *a)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int n = a->socket ? snprintf(to.sun_path, sizeof to.sun_path, "%s", a->socket)
			  : snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d/%s", a->dir,
				    SOCKET_NAME);

	if (n < 0 || (size_t)n >= sizeof to.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return -1;
	return TAKE_FD(fd);
}

char *sshagent_path(const struct sshagent *a)
{
	if (a->socket)
		return mem_strdup(a->socket);
	return mem_printf("/proc/%ld/fd/%d/%s", (long)getpid(), a->dir, SOCKET_NAME);
}

void sshagent_clear(struct sshagents *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct sshagent *x = &a->v[i];
		if (x->pid) {
			kill(x->pid, SIGKILL);
			wait_for(x->pid);
		}
		if (x->dir >= 0) {
			close(x->dir);
			fs_remove_tree(store_tmp_fd(a->s), x->temp);
		}
		free(x->id);
		free(x->socket);
	}
	free(a->v);
	*a = (struct sshagents){0};
}
