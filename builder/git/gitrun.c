// SPDX-License-Identifier: Apache-2.0
/*
 * git as a child that sees nothing of the machine it does not need: configuration only by
 * variables, no hooks, no prompts, four protocols. For a repository that a Dockerfile names it has
 * neither the caller's keys nor home directory. The environment may hold a credential and is wiped
 * afterwards.
 */
#include "builder/git/gitrun.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/child.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define SAID_MAX ((size_t)16 << 10) /* of its messages */

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

static void gitrun_pass(struct strlist *env, const char *name)
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

static void gitrun_make_env(struct strlist *env, const struct gitrun *g)
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
		gitrun_pass(env, passed[i]);
	for (size_t i = 0; i < ARRAY_LEN(own) && !g->foreign; i++)
		gitrun_pass(env, own[i]);
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

static int gitrun_not_run(enum child_end end, int value, struct err **err)
{
	errno = value;
	switch (end) {
	case CHILD_CANCELLED:
		return err_set(err, ERR_CANCELLED, "interrupted");
	case CHILD_TALKATIVE:
		return err_set(
			err, ERR_LIMIT, "git: more than %zu bytes of output", GITRUN_OUT_MAX);
	case CHILD_UNSTARTED:
		if (value != ENOENT)
			return err_sys(err, "git");
		err_set(err, ERR_UNSUPPORTED,
			"git is not installed, and a git repository is to be read");
		return err_hint(err, "install the package git");
	default:
		return err_sys(err, "git");
	}
}

/* Returns its status, 128 + N for a signal. */
static int gitrun_run(const struct gitrun *g, int dir_fd, const char *const *args,
	const struct child_talk *talk, struct err **err)
{
	auto_strlist struct strlist argv = {0};
	auto_strlist struct strlist env = {0};
	auto_fd int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int value;

	if (top < 0)
		return err_sys(err, "git");
	strlist_add(&argv, "git");
	for (size_t i = 0; args[i]; i++)
		strlist_add(&argv, args[i]);
	gitrun_make_env(&env, g);
	const struct child_spec spec = {.argv = argv.v,
		.env = env.v,
		.dir = dir_fd < 0 ? top : dir_fd,
		.session = true,
		.file_max = GITRUN_FILE_MAX};
	enum child_end end = child_run(&spec, talk, &value);
	for (size_t i = 0; i < env.n; i++)
		explicit_bzero(env.v[i], strlen(env.v[i]));
	return end == CHILD_ENDED ? value : gitrun_not_run(end, value, err);
}

/* The line that says why: the first "fatal:" of a server or of git, else the last one. */
static char *gitrun_reason(const char *text)
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
	auto_buf struct buf words = {0};
	const struct child_talk talk = {.out = out, .said = &words, .cancelled = g->cancelled};

	buf_init(&words, SAID_MAX);
	int status = gitrun_run(g, dir_fd, args, &talk, err);
	if (status >= 0 && said)
		*said = gitrun_reason(words.data);
	return status;
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
