// SPDX-License-Identifier: Apache-2.0
/* bld login, bld logout: credentials of a registry. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "builder/cli/askpass.h"
#include "builder/cli/remote.h"
#include "builder/cli/show.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/transport/transfer.h"

#define LOGIN_HINT "use --username and --password-stdin"

struct opts {
	const char *user;
	const char *password;
	bool password_stdin;
	struct remote_opts remote;
};

static const struct cli_option login_options[] = {
	{"username", 'u', CLI_STRING, offsetof(struct opts, user), "USER", NULL,
		"user name (default: ask)"},
	{"password", 'p', CLI_STRING, offsetof(struct opts, password), "PASSWORD", NULL,
		"password; other users of this machine can see it there (default: ask)"},
	{"password-stdin", 0, CLI_FLAG, offsetof(struct opts, password_stdin), NULL, NULL,
		"read the password from standard input"},
	REMOTE_ACCESS_OPTIONS(struct opts, remote),
	REMOTE_CERT_OPTIONS(struct opts, remote),
	{0},
};

static const struct cli_option logout_options[] = {
	{"authfile", 0, CLI_STRING, offsetof(struct opts, remote.authfile), "FILE", NULL,
		"credentials (default: $REGISTRY_AUTH_FILE, then the files of containers and "
		"docker)"},
	{0},
};

/* One line, without its end. */
static char *read_secret(int fd, const char *what, struct err **err)
{
	auto_buf struct buf b;

	buf_init(&b, ASKPASS_MAX);
	if (fs_read_fd(fd, ASKPASS_MAX, what, &b, err) < 0)
		return NULL;
	while (b.len && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == '\r'))
		b.data[--b.len] = '\0';
	return buf_take(&b);
}

static char *take_password(const struct cli *c, const struct opts *o, struct err **err)
{
	if (o->password_stdin)
		return read_secret(STDIN_FILENO, "password on standard input", err);
	if (o->password)
		return mem_strdup(o->password);
	return askpass(c, "Password: ", true, LOGIN_HINT, err);
}

static int run_login(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	auto_free char *user = NULL, *password = NULL;
	struct transfer_opts t;
	int status;

	if (o->password && o->password_stdin)
		return err_set(
			err, ERR_USAGE, "--password and --password-stdin exclude each other");
	if (o->password_stdin && !o->user)
		return err_set(err, ERR_USAGE, "--password-stdin needs --username");
	user = o->user ? mem_strdup(o->user) : askpass(c, "User name: ", false, LOGIN_HINT, err);
	if (!user)
		return -1;
	password = take_password(c, o, err);
	if (!password)
		return -1;
	remote_transfer_opts(c, &o->remote, NULL, &t);
	status = transfer_login(operands->v[0], user, password, &t, err);
	explicit_bzero(password, strlen(password));
	if (status < 0)
		return -1;
	show_line("logged in to %s\n", operands->v[0]);
	return 0;
}

static int run_logout(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	struct transfer_opts t;

	o->remote.tls_verify = -1;
	remote_transfer_opts(c, &o->remote, NULL, &t);
	if (transfer_logout(operands->v[0], &t, err) < 0)
		return -1;
	show_line("logged out of %s\n", operands->v[0]);
	return 0;
}

const struct cli_command cli_login = {
	.name = "login",
	.operands = "REGISTRY",
	.summary = "Check and keep credentials of a registry",
	.options = login_options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = run_login,
};

const struct cli_command cli_logout = {
	.name = "logout",
	.operands = "REGISTRY",
	.summary = "Forget the credentials of a registry",
	.options = logout_options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = run_logout,
};
