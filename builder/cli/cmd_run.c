// SPDX-License-Identifier: Apache-2.0
/* bld run: a command of an image, in a throw-away copy of it. The exit status is the command's. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cli/layerform.h"
#include "builder/run/runimage.h"
#include "store/store.h"

#define RUN_WORDS_MAX 100000

struct opts {
	struct strlist env;
	const char *user;
	const char *workdir;
	const char *entrypoint;
	const char *network;
};

static const struct cli_option options[] = {
	{"env", 'e', CLI_LIST, offsetof(struct opts, env), "K[=V]", NULL,
		"set an environment variable; without =V the value it has here; may be repeated"},
	{"user", 'u', CLI_STRING, offsetof(struct opts, user), "USER[:GROUP]", NULL,
		"run as this user (default: the image's)"},
	{"workdir", 'w', CLI_STRING, offsetof(struct opts, workdir), "DIR", NULL,
		"working directory (default: the image's)"},
	{"entrypoint", 0, CLI_STRING, offsetof(struct opts, entrypoint), "PROGRAM", NULL,
		"run this instead of the image's entry point"},
	{"network", 0, CLI_CHOICE, offsetof(struct opts, network), "host|none|default", NULL,
		"the network of this machine, or nothing (default: host)"},
	{"rm", 0, CLI_IGNORED, 0, NULL, NULL, "nothing is left to be removed"},
	{"interactive", 'i', CLI_IGNORED, 0, NULL, NULL, "standard input is always passed on"},
	{"tty", 't', CLI_IGNORED, 0, NULL, NULL, "a terminal is used when there is one"},
	{0},
};

static const char details[] =
	"What the command changes in the files of the image is thrown away at its end.\n"
	"The exit status is the one of the command, 128 + N when signal N ended it.\n";

static void cmd_run_take_env(const struct strlist *in, struct strlist *out)
{
	for (size_t i = 0; i < in->n; i++) {
		const char *value = strchr(in->v[i], '=') ? NULL : getenv(in->v[i]);

		if (strchr(in->v[i], '='))
			strlist_add(out, in->v[i]);
		else if (value)
			strlist_addf(out, "%s=%s", in->v[i], value);
	}
}

static int cmd_run_command(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	struct runimage_opts r = {
		.image = operands->v[0],
		.user = o->user,
		.workdir = o->workdir,
		.entrypoint = o->entrypoint,
		.network = o->network && strcmp(o->network, "none") == 0 ? BUILD_NET_NONE
									 : BUILD_NET_HOST,
		.cancelled = c->cancelled,
	};
	if (layerform_take(&r.layer_form, err) < 0)
		return -1;
	auto_store struct store *s = store_open(c->root, err);
	int exit_code = 0, status = -1;

	for (size_t i = 1; i < operands->n; i++)
		strlist_add(&r.argv, operands->v[i]);
	cmd_run_take_env(&o->env, &r.env);
	if (s)
		status = runimage_run(&r, s, &exit_code, err);
	strlist_clear(&r.argv);
	strlist_clear(&r.env);
	return status < 0 ? -1 : exit_code;
}

const struct cli_command cli_run = {
	.name = "run",
	.operands = "IMAGE [COMMAND [ARGUMENT]...]",
	.summary = "Run a command of an image",
	.details = details,
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = RUN_WORDS_MAX,
	.missing = "bld run IMAGE",
	.stop_at_operand = true,
	.run = cmd_run_command,
};
