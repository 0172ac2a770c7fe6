// SPDX-License-Identifier: Apache-2.0
/* bld prune: delete what nothing needs. */
#include "builder/cli/cli.h"

#include <stdio.h>

#include "builder/cli/times.h"
#include "builder/ui/ui.h"
#include "store/gc.h"
#include "store/store.h"

struct opts {
	bool all;
	const char *keep_time;
	bool dry_run;
};

static const struct cli_option options[] = {
	{"all", 'a', CLI_FLAG, offsetof(struct opts, all), NULL, NULL,
		"also the build cache, the contents of cache mounts, logs of failed builds"},
	{"keep-time", 0, CLI_STRING, offsetof(struct opts, keep_time), "DURATION", NULL,
		"drop what the build cache has not used for so long: 24h, 7d (default: keep all)"},
	{"dry-run", 'n', CLI_FLAG, offsetof(struct opts, dry_run), NULL, NULL,
		"only say how much it would be"},
	{0},
};

static int cmd_prune_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	struct gc_opts g = {.all = o->all, .keep_seconds = -1, .dry_run = o->dry_run};
	struct gc_report report = {0};
	auto_store struct store *s = NULL;
	auto_buf struct buf b;

	(void)operands;
	buf_init(&b, BUF_TEXT_MAX);
	if (o->keep_time && times_duration("--keep-time", o->keep_time, &g.keep_seconds, err) < 0)
		return -1;
	s = store_open(c->root, err);
	if (!s || gc_run(s, &g, &report, err) < 0)
		return -1;
	ui_add_bytes(&b, report.bytes);
	printf("%s %s%s (%llu bytes) in %llu objects\n", o->dry_run ? "would free" : "freed",
		report.at_least ? "at least " : "", b.data, (unsigned long long)report.bytes,
		(unsigned long long)report.objects);
	return 0;
}

const struct cli_command cli_prune = {
	.name = "prune",
	.operands = "",
	.summary = "Delete what no image and no cache record needs",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = cmd_prune_run,
};
