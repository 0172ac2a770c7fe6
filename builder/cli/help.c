// SPDX-License-Identifier: Apache-2.0
/* --help, made from the option tables. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <string.h>

#define HELP_WIDTH  79
#define HELP_COLUMN 28 /* where the text of an option begins */

/* Append words of text, broken at HELP_WIDTH; the cursor is at column `at`. */
static void help_wrap(struct buf *b, const char *text, size_t at)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (at > HELP_COLUMN && at + 1 + n > HELP_WIDTH) {
			buf_addf(b, "\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		} else if (at > HELP_COLUMN) {
			buf_addc(b, ' ');
			at++;
		}
		buf_add(b, text, n);
		at += n;
		text += n + (text[n] == ' ');
	}
	buf_addc(b, '\n');
}

static void help_add_option(struct buf *b, const struct cli_option *o)
{
	size_t start = b->len;

	if (o->letter)
		buf_addf(b, "  -%c, --%s", o->letter, o->name);
	else
		buf_addf(b, "      --%s", o->name);
	if (o->kind == CLI_BOOL || o->kind == CLI_UNLESS)
		buf_addf(b, "=%s", o->value);
	else if (o->kind == CLI_OPTIONAL)
		buf_addf(b, "[=%s]", o->value);
	else if (o->value)
		buf_addf(b, " %s", o->value);
	if (b->len - start + 2 > HELP_COLUMN)
		buf_addf(b, "\n%*s", HELP_COLUMN, "");
	else
		buf_addf(b, "%*s", (int)(HELP_COLUMN - (b->len - start)), "");
	help_wrap(b, o->help, HELP_COLUMN);
	if (o->env)
		buf_addf(b, "%*s[environment: %s]\n", HELP_COLUMN, "", o->env);
}

static void add_options(struct buf *b, const struct cli_option *t)
{
	for (; t && t->name; t++) {
		if (t->kind != CLI_IGNORED)
			help_add_option(b, t);
	}
}

static void add_ignored(struct buf *b, const struct cli_option *t)
{
	bool first = true;

	for (; t && t->name; t++) {
		if (t->kind != CLI_IGNORED)
			continue;
		if (first)
			buf_adds(b,
				"\nAccepted for scripts made for other tools, without effect:\n");
		first = false;
		help_add_option(b, t);
	}
}

static void add_members(struct buf *b, const struct cli_command *const *members)
{
	buf_adds(b, "\nCommands:\n");
	for (size_t i = 0; members[i]; i++)
		buf_addf(
			b, "  %-10s %s\n", strrchr(members[i]->name, ' ') + 1, members[i]->summary);
}

void cli_help(const struct cli_command *cmd, struct buf *out)
{
	buf_addf(out, "Usage: bld %s [OPTION]...%s%s\n\n%s\n", cmd->name,
		cmd->operands[0] ? " " : "", cmd->operands, cmd->summary);
	if (cmd->alias)
		buf_addf(out, "\"bld %s\" is the same.\n", cmd->alias);
	if (cmd->members)
		add_members(out, cmd->members);
	buf_adds(out, "\nOptions:\n");
	add_options(out, cmd->options);
	add_options(out, cli_common_options());
	add_ignored(out, cmd->options);
	if (cmd->details)
		buf_addf(out, "\n%s", cmd->details);
}

void cli_help_all(const struct cli_command *const *commands, struct buf *out)
{
	buf_adds(out, "Usage: bld [--root DIR] COMMAND [OPTION]... [ARGUMENT]...\n\n"
		      "Build images from Dockerfiles, without a daemon.\n\nCommands:\n");
	for (size_t i = 0; commands[i]; i++)
		buf_addf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	buf_adds(out, "\nOptions:\n");
	add_options(out, cli_common_options());
	buf_adds(out,
		"      --version             show the version\n"
		"\n\"bld help COMMAND\" or \"bld COMMAND --help\" shows the options of a "
		"command.\n"
		"\nExit status: 0 done, 1 build failed, 2 usage, 3 Dockerfile, 4 context or "
		"file,\n5 network, 6 authentication, 7 push failed after a good build, 8 store or "
		"disk,\n9 sandbox, 10 verification, 130 and 143 ended by a signal.\n");
}
