// SPDX-License-Identifier: Apache-2.0
/* bld parse: show the tree of a Dockerfile, or everything that is wrong with it. */
#include "builder/cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "parser/dockerfile.h"
#include "store/base/fs.h"

struct opts {
	bool json;
	const char *format;
};

static const struct cli_option options[] = {
	{"format", 0, CLI_CHOICE, offsetof(struct opts, format), "text|json|dockerfile", NULL,
		"how to print the tree (default text); dockerfile: in one canonical form"},
	{"json", 0, CLI_FLAG, offsetof(struct opts, json), NULL, NULL, "the same as --format json"},
	{0},
};

static void cmd_parse_to_buf(void *ctx, struct slice s)
{
	buf_add(ctx, s.ptr, s.len);
}

typedef void (*print_fn)(const struct dockerfile *df, slice_sink_fn sink, void *ctx);

/* The option takes only these names. */
static print_fn cmd_parse_pick(const char *name)
{
	if (strcmp(name, "json") == 0)
		return dockerfile_dump_json;
	if (strcmp(name, "dockerfile") == 0)
		return dockerfile_print;
	return dockerfile_dump_text;
}

static int cmd_parse_show(const struct dockerfile *df, const struct opts *o, struct err **err)
{
	auto_buf struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	dockerfile_report(df, cmd_parse_to_buf, &b);
	if (df->diags.errors > 0)
		return err_set(err, ERR_SYNTAX, "%s", b.data);
	fwrite(b.data, 1, b.len, stderr); /* warnings */
	buf_reset(&b);
	cmd_parse_pick(o->format ? o->format : o->json ? "json" : "text")(df, cmd_parse_to_buf, &b);
	fwrite(b.data, 1, b.len, stdout);
	return 0;
}

static int read_input(const char *path, struct buf *out, struct err **err)
{
	int r = strcmp(path, "-") == 0
			? fs_read_fd(STDIN_FILENO, DOCKERFILE_SIZE_MAX, "standard input", out, err)
			: fs_read_file(AT_FDCWD, path, DOCKERFILE_SIZE_MAX, out, err);

	if (r < 0 && err)
		err_rekind(err, err_get_kind(*err) == ERR_LIMIT ? ERR_SYNTAX : ERR_CONTEXT);
	return r;
}

static int cmd_parse_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const char *path = operands->v[0];
	struct dockerfile *df;
	auto_buf struct buf text;
	int status;

	(void)c;
	buf_init(&text, DOCKERFILE_SIZE_MAX);
	if (read_input(path, &text, err) < 0)
		return -1;
	df = dockerfile_parse(slice_of(strcmp(path, "-") == 0 ? "Dockerfile" : path),
		(struct slice){text.data, text.len});
	status = cmd_parse_show(df, opts, err);
	dockerfile_free(df);
	return status;
}

const struct cli_command cli_parse_file = {
	.name = "parse",
	.operands = "FILE",
	.summary = "Show the tree of a Dockerfile",
	.details = "FILE may be \"-\" for standard input. Exit status 3 when the file is wrong.\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.missing = "\"bld parse Dockerfile\"",
	.run = cmd_parse_run,
};
