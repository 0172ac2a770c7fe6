// SPDX-License-Identifier: Apache-2.0
/*
 * Agents for RUN --mount=type=ssh: the caller's, or one of our own with key files. Ours listens in
 * a directory of the store that is reached by descriptor, so the length of the store's path does
 * not matter; keys go to ssh-add through a pipe. It dies with bld, by a signal of the kernel if
 * need be.
 */
#include "builder/secrets/sshagent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/base/deadline.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define SOCKET_NAME "agent" /* below its directory */
#define START_MS    30000
#define ADD_MS      30000
#define SAID_MAX    300 /* bytes of what ssh-add says */

/* --- programs -------------------------------------------------------------------------------- */

/* PATH, and where the agent listens; ended by NULL. */
static void sshagent_make_env(struct strlist *env)
{
	const char *path = getenv("PATH");

	strlist_addf(env, "PATH=%s", path ? path : "/usr/bin:/bin");
	strlist_add(env, "SSH_AUTH_SOCK=" SOCKET_NAME);
	strlist_add(env, "SSH_ASKPASS_REQUIRE=never");
	strlist_add(env, "HOME=/");
}

/* Without new privileges ssh-agent is not set-group-ID, which would make the kernel forget that it
 * ends with us. */
static struct child_spec spec_of(
	const struct sshagent *a, char *const *argv, const struct strlist *env)
{
	return (struct child_spec){
		.argv = argv, .env = env->v, .dir = a->dir, .session = true, .no_new_privs = true};
}

static int not_started(const char *program, int error, struct err **err)
{
	if (error != ENOENT) {
		errno = error;
		return err_sys_kind(err, ERR_BUILD, "start %s", program);
	}
	err_set(err, ERR_BUILD, "--ssh with a key file needs %s, which is not here", program);
	return err_hint(err, "install the OpenSSH client, or use --ssh ID=SOCKET of an agent");
}

/* --- an agent of our own --------------------------------------------------------------------- */

/* Does it say something within START_MS? What it says is where it listens, once it does. */
static bool speaks(int from)
{
	struct deadline end = deadline_in(START_MS);
	char byte;

	for (;;) {
		struct pollfd p = {.fd = from, .events = POLLIN};
		int ready = poll(&p, 1, deadline_poll(end, -1));

		if (ready > 0)
			return read(from, &byte, 1) == 1;
		if (ready == 0 || errno != EINTR)
			return false;
	}
}

static int start_agent(struct sshagent *a, struct err **err)
{
	char name[] = "ssh-agent", stay[] = "-D", sh[] = "-s", at[] = "-a", where[] = SOCKET_NAME;
	auto_strlist struct strlist env = {0};
	int pipes[2];
	struct stat sb;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys_kind(err, ERR_BUILD, "ssh-agent");
	auto_fd int from = pipes[0], to = pipes[1];
	sshagent_make_env(&env);
	const struct child_spec spec =
		spec_of(a, (char *[]){name, stay, sh, at, where, NULL}, &env);
	int error = child_start(&spec, (const int[]){-1, to, to}, &a->child);
	if (error)
		return not_started(name, error, err);
	close(TAKE_FD(to));
	if (speaks(from) && fstatat(a->dir, SOCKET_NAME, &sb, 0) == 0 && S_ISSOCK(sb.st_mode))
		return 0;
	child_stop(&a->child);
	return err_set(err, ERR_BUILD, "ssh-agent does not start");
}

static int read_key(const char *path, struct buf *key, struct err **err)
{
	buf_init(key, SSHAGENT_KEY_MAX);
	if (fs_read_file(AT_FDCWD, path, SSHAGENT_KEY_MAX, key, err) == 0)
		return 0;
	return err_rekind(err, ERR_CONTEXT);
}

static int not_added(
	const char *path, enum child_end end, int value, const char *said, struct err **err)
{
	if (end == CHILD_UNSTARTED)
		return not_started("ssh-add", value, err);
	if (end == CHILD_LATE)
		return err_set(
			err, ERR_BUILD, "ssh-add %s: not done within %d s", path, ADD_MS / 1000);
	if (end != CHILD_ENDED) {
		errno = value;
		return err_sys_kind(err, ERR_BUILD, "ssh-add");
	}
	auto_free char *line = mem_strndup(said, strcspn(said, "\r\n"));
	err_set(err, ERR_CONTEXT, "ssh-add does not take the key %s%s%s", path, *line ? ": " : "",
		line);
	return err_hint(err, "a key with a passphrase must be in an agent: --ssh ID=SOCKET");
}

/* Through a pipe: ssh-add then asks neither for modes of the file nor, without a terminal, for a
 * passphrase. */
static int add_key(const struct sshagent *a, const char *path, struct err **err)
{
	char name[] = "ssh-add", quiet[] = "-q", from_pipe[] = "-";
	auto_strlist struct strlist env = {0};
	auto_buf struct buf key = {0}, said = {0};
	int value;

	if (read_key(path, &key, err) < 0)
		return -1;
	buf_init(&said, SAID_MAX);
	sshagent_make_env(&env);
	const struct child_spec spec = spec_of(a, (char *[]){name, quiet, from_pipe, NULL}, &env);
	const struct child_talk talk = {
		.input = key.data, .input_len = key.len, .said = &said, .limit_ms = ADD_MS};
	enum child_end end = child_run(&spec, &talk, &value);
	explicit_bzero(key.data, key.len);
	return end == CHILD_ENDED && value == 0 ? 0 : not_added(path, end, value, said.data, err);
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

static int sshagent_load_one(
	const char *spec, struct store *s, struct sshagent *a, struct err **err)
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
		if (sshagent_load_one(specs->v[i], s, a, err) < 0) {
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
		child_stop(&x->child);
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
