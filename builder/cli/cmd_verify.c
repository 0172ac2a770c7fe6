// SPDX-License-Identifier: Apache-2.0
/* bld verify: hash everything again. */
#include "builder/cli/cli.h"

#include <stdio.h>

#include "builder/cli/show.h"
#include "store/base/mem.h"
#include "store/store.h"
#include "store/verify.h"

struct opts {
	bool repair;
};

static const struct cli_option options[] = {
	{"repair", 0, CLI_FLAG, offsetof(struct opts, repair), NULL, NULL,
		"drop what is wrong: it is made or pulled again when it is needed"},
	{0},
};

/* The first finding is part of the error; all of them are the result. */
static void finding(void *ctx, const char *text)
{
	char **first = ctx;

	if (!*first)
		*first = mem_strdup(text);
	show_line("%s\n", text);
}

static int cmd_verify_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	auto_free char *first = NULL;
	struct verify_opts v = {.repair = o->repair, .finding = finding, .ctx = &first};
	struct verify_report r = {0};
	auto_store struct store *s = store_open(c->root, err);

	(void)operands;
	if (!s || verify_run(s, &v, &r, err) < 0)
		return -1;
	printf("%llu blobs, %llu directories, %llu indexes, %llu records checked: %llu problems\n",
		(unsigned long long)r.blobs, (unsigned long long)r.dirs,
		(unsigned long long)r.indexes, (unsigned long long)r.records,
		(unsigned long long)r.problems);
	if (r.problems == 0)
		return 0;
	/* What was found is the result: that it is not all there is worse than what was found. */
	if (cli_finish_output(err) < 0)
		return -1;
	err_set(err, ERR_CORRUPT, "%llu problem%s in %s: %s%s", (unsigned long long)r.problems,
		r.problems == 1 ? "" : "s", store_root(s), first ? first : "",
		r.problems == 1 ? "" : " ...");
	if (!o->repair)
		err_hint(err, "\"bld verify --repair\" drops what is wrong");
	return -1;
}

const struct cli_command cli_verify = {
	.name = "verify",
	.operands = "",
	.summary = "Check everything in the store",
	.details = "Exit status 10 when something was wrong, also when it was repaired.\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = cmd_verify_run,
};
