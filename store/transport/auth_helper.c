// SPDX-License-Identifier: Apache-2.0
#include "store/transport/auth_helper.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/base/now.h"

extern char **environ;

static int check_name(const char *helper, struct err **err)
{
	auto_free char *shown = NULL;

	if (*helper && *helper != '.' && strlen(helper) < 128) {
		const char *c = helper;
		while (isalnum((unsigned char)*c) || (*c && strchr("._-", *c)))
			c++;
		if (*c == '\0')
			return 0;
	}
	shown = fs_printable(helper);
	return err_set(err, ERR_AUTH, "credential helper \"%s\": not a valid name", shown);
}

/* stdin is one end of a socket pair: a helper that does not read cannot kill us with SIGPIPE. */
static pid_t start(const char *program, const char *verb, int in, int out, struct err **err)
{
	auto_free char *name = mem_strdup(program);
	auto_free char *word = mem_strdup(verb);
	char *argv[] = {name, word, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none;
	pid_t pid = -1;
	int rc;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&at);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&at, &none);
	rc = posix_spawnp(&pid, program, &fa, &at, argv, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	if (rc != 0) {
		errno = rc;
		return err_sys_kind(err, ERR_AUTH, "credential helper %s", program);
	}
	return pid;
}

int auth_helper_listen(int fd, uint64_t limit_ms, struct buf *out)
{
	uint64_t end = now_monotonic_ms() + limit_ms;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = now_monotonic_ms();
		char piece[4096];
		ssize_t n;
		int ready = now < end ? poll(&p, 1, (int)(end - now)) : 0;

		/* A signal says nothing of the pipe: read would wait without a limit. */
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return -1;
		n = read(fd, piece, sizeof piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			return 0;
		if (buf_add(out, piece, (size_t)n) < 0)
			return -1;
		explicit_bzero(piece, sizeof piece);
	}
}

/* Returns the exit status. */
static int run(
	const char *helper, const char *verb, const char *input, struct buf *out, struct err **err)
{
	auto_free char *program = mem_printf("docker-credential-%s", helper);
	int in[2], from[2], status = 0, said;
	pid_t pid;

	if (check_name(helper, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0)
		return err_sys(err, "credential helper");
	if (pipe2(from, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return err_sys(err, "credential helper");
	}
	pid = start(program, verb, in[0], from[1], err);
	close(in[0]);
	close(from[1]);
	if (pid > 0) {
		/* Small: fits the socket's buffer whether it is read or not. */
		send(in[1], input, strlen(input), MSG_NOSIGNAL);
		close(in[1]);
		said = auth_helper_listen(from[0], AUTH_HELPER_TIMEOUT_MS, out);
		if (said < 0)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (said < 0)
			err_set(err, ERR_AUTH, "%s %s: no answer within %d s", program, verb,
				AUTH_HELPER_TIMEOUT_MS / 1000);
	} else {
		close(in[1]);
	}
	close(from[0]);
	if (pid <= 0 || said < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int auth_helper_get(
	const char *helper, const char *server, struct auth_credentials *out, struct err **err)
{
	auto_secret_buf struct buf b;
	auto_secret_json json_t *doc = NULL;
	const char *user = NULL, *secret = NULL;
	int rc;

	buf_init(&b, AUTH_HELPER_OUTPUT_MAX);
	rc = run(helper, "get", server, &b, err);
	if (rc < 0)
		return -1;
	if (rc > 0) {
		auto_buf struct buf words;

		buf_init(&words, AUTH_HELPER_OUTPUT_MAX);
		if (strstr(b.data, "credentials not found"))
			return 0;
		buf_add_escaped(&words, b.data,
			strcspn(b.data, "\n") < 200 ? strcspn(b.data, "\n") : 200, false);
		return err_set(err, ERR_AUTH, "docker-credential-%s: exit status %d: %s", helper,
			rc, words.data);
	}
	doc = jsonx_load(b.data, b.len, AUTH_HELPER_OUTPUT_MAX, "its answer", NULL);
	if (!doc || jsonx_string(doc, "Username", true, "", &user, NULL) < 0 ||
		jsonx_string(doc, "Secret", true, "", &secret, NULL) < 0)
		return err_set(err, ERR_AUTH,
			"docker-credential-%s: its answer is not what helpers say", helper);
	if (strcmp(user, "<token>") == 0) {
		out->identity = secret_of(secret);
	} else {
		out->user = mem_strdup(user);
		out->password = secret_of(secret);
	}
	return 1;
}

int auth_helper_store(const char *helper, const char *server, const char *user,
	const struct secret *password, struct err **err)
{
	auto_secret_buf struct buf in, out;
	auto_secret_json json_t *doc = json_pack("{s:s, s:s, s:s}", "ServerURL", server, "Username",
		user, "Secret", secret_text(password));
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int rc;

	buf_init(&in, AUTH_FILE_MAX);
	buf_init(&out, AUTH_HELPER_OUTPUT_MAX);
	if (!text)
		return err_set(err, ERR_USAGE, "user name or password is not UTF-8");
	buf_adds(&in, text);
	explicit_bzero(text, strlen(text));
	free(text);
	rc = run(helper, "store", in.data, &out, err);
	if (rc > 0)
		return err_set(
			err, ERR_AUTH, "docker-credential-%s store: exit status %d", helper, rc);
	return rc;
}

int auth_helper_erase(const char *helper, const char *server, struct err **err)
{
	auto_secret_buf struct buf out;
	int rc;

	buf_init(&out, AUTH_HELPER_OUTPUT_MAX);
	rc = run(helper, "erase", server, &out, err);
	if (rc > 0)
		return err_set(err, ERR_NOT_FOUND, "docker-credential-%s has no credentials for %s",
			helper, server);
	return rc;
}
