// SPDX-License-Identifier: Apache-2.0
/* From argv to a command: global options, "help", the nearest command for a mistyped one. */
#include "builder/cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/foreign.h"
#include "parser/suggest.h"
#include "store/base/mem.h"

struct global_opts {
	bool version;
};

static const struct cli_option global_options[] = {
	{"version", 0, CLI_FLAG, offsetof(struct global_opts, version), NULL, NULL,
		"show the version"},
	{0},
};

/* bld itself, as far as its own options go. */
static const struct cli_command global = {
	.name = "",
	.operands = "COMMAND",
	.options = global_options,
	.opts_size = sizeof(struct global_opts),
	.max_operands = (size_t)-1,
	.stop_at_operand = true,
};

/* The word that names a command where it is looked for. */
static const char *last_word(const struct cli_command *cmd)
{
	const char *blank = strrchr(cmd->name, ' ');

	return blank ? blank + 1 : cmd->name;
}

static const struct cli_command *dispatch_find(
	const struct cli_command *const *commands, const char *name)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(last_word(commands[i]), name) == 0 ||
			(commands[i]->alias && strcmp(commands[i]->alias, name) == 0))
			return commands[i];
	}
	return NULL;
}

/* group: what stands in front of the name, NULL = nothing. */
static int unknown_command(const struct cli_command *const *commands,
	const struct cli_command *group, const char *name, struct err **err)
{
	const char *before = group ? group->name : "", *blank = group ? " " : "";
	auto_free char *whole = mem_printf("%s%s%s", before, blank, name);
	const char *advice = foreign_command(whole), *best = NULL;
	size_t n = 0;

	while (commands[n])
		n++;
	auto_free const char **names = mem_array(n + 1, sizeof *names);
	for (size_t i = 0; i < n; i++)
		names[i] = last_word(commands[i]);
	if (!advice)
		best = suggest_nearest(slice_of(name), names, n);
	err_set(err, ERR_USAGE, "unknown command \"%s\"", whole);
	if (advice)
		return err_hint(err, "%s", advice);
	if (best)
		return err_hint(err, "did you mean \"bld %s%s%s\"?", before, blank, best);
	return err_hint(err, "\"bld%s%s --help\" lists the commands", group ? " " : "", before);
}

static int show_help(const struct cli_command *const *commands, const struct cli_command *cmd)
{
	auto_buf struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	if (cmd)
		cli_help(cmd, &b);
	else
		cli_help_all(commands, &b);
	fwrite(b.data, 1, b.len, stdout);
	return 0;
}

static int dispatch_run_command(struct cli *c, const struct cli_command *const *commands,
	const struct cli_command *cmd, int argc, char **argv, struct err **err);

/* The first word behind a group's name is the command. */
static int run_group(
	struct cli *c, const struct cli_command *group, int argc, char **argv, struct err **err)
{
	auto_strlist struct strlist words = {0};
	int r = cli_parse(c, group, argc, argv, NULL, &words, err);
	const struct cli_command *cmd = r == 0 ? dispatch_find(group->members, words.v[0]) : NULL;

	if (r != 0)
		return r > 0 ? show_help(group->members, group) : -1;
	if (!cmd)
		return unknown_command(group->members, group, words.v[0], err);
	return dispatch_run_command(
		c, group->members, cmd, (int)words.n - 1, argv + argc - words.n + 1, err);
}

static int dispatch_run_command(struct cli *c, const struct cli_command *const *commands,
	const struct cli_command *cmd, int argc, char **argv, struct err **err)
{
	if (cmd->members)
		return run_group(c, cmd, argc, argv, err);

	auto_free void *opts = mem_alloc(cmd->opts_size ? cmd->opts_size : 1);
	auto_strlist struct strlist operands = {0};
	int r = cli_parse(c, cmd, argc, argv, opts, &operands, err);

	if (r > 0)
		r = show_help(commands, cmd);
	else if (r == 0)
		r = cmd->run(c, opts, &operands, err);
	cli_clear_options(cmd, opts);
	return r;
}

static int run_help(
	const struct cli_command *const *commands, const struct strlist *words, struct err **err)
{
	const struct cli_command *cmd = NULL;

	for (size_t i = 1; i < words->n && commands; i++) {
		const struct cli_command *group = cmd;

		cmd = dispatch_find(commands, words->v[i]);
		if (!cmd)
			return unknown_command(commands, group, words->v[i], err);
		commands = cmd->members;
	}
	return show_help(commands, cmd);
}

int cli_main(struct cli *c, const struct cli_command *const *commands, int argc, char **argv,
	struct err **err)
{
	struct global_opts g = {0};
	auto_strlist struct strlist words = {0};
	const struct cli_command *cmd;
	int r = cli_parse(c, &global, argc > 0 ? argc - 1 : 0, argv + 1, &g, &words, err);

	if (r < 0)
		return -1;
	if (r > 0)
		return show_help(commands, NULL);
	if (g.version)
		return cli_version.run(c, NULL, NULL, err);
	if (words.n == 0) {
		err_set(err, ERR_USAGE, "no command given");
		return err_hint(err, "\"bld --help\" lists the commands");
	}
	if (strcmp(words.v[0], "help") == 0)
		return run_help(commands, &words, err);
	cmd = dispatch_find(commands, words.v[0]);
	if (!cmd)
		return unknown_command(commands, NULL, words.v[0], err);
	/* The command's words are the last ones of argv. */
	return dispatch_run_command(
		c, commands, cmd, (int)words.n - 1, argv + argc - words.n + 1, err);
}

static bool reader_is_gone(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && p.revents & POLLERR;
}

int cli_finish_output(struct err **err)
{
	int error = fflush(stdout) == 0 ? 0 : errno;
	bool lost = error || ferror(stdout);

	if (!lost)
		return 0;
	clearerr(stdout);
	__fpurge(stdout);
	if (error == EPIPE || reader_is_gone())
		return 0;
	/* stdio keeps no reason of a write that failed in between. */
	return err_set(err, ERR_SYS, "standard output: %s",
		error ? strerror(error) : "not all of it could be written");
}
