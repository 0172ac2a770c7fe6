// SPDX-License-Identifier: Apache-2.0
/* bld info, bld version. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "builder/cache/lowers.h"
#include "builder/cli/show.h"
#include "builder/sandbox/sandbox.h"
#include "store/store.h"

static int run_version(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	(void)c;
	(void)opts;
	(void)operands;
	(void)err;
	printf("bld %s\n", BLD_VERSION);
	return 0;
}

static int run_info(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	auto_store struct store *s = store_open(c->root, err);
	auto_strlist struct strlist features = {0};
	struct utsname u;

	(void)opts;
	(void)operands;
	if (!s)
		return -1;
	printf("version: %s\n", BLD_VERSION);
	show_line("store: %s\n", store_root(s));
	printf("user: %ju\n", (uintmax_t)geteuid());
	if (uname(&u) == 0)
		show_line("kernel: %s %s\n", u.release, u.machine);
	sandbox_describe(&features);
	lowers_describe(s, &features);
	for (size_t i = 0; i < features.n; i++)
		show_line("%s\n", features.v[i]);
	return 0;
}

const struct cli_command cli_info = {
	.name = "info",
	.operands = "",
	.summary = "Show the store and what the kernel offers",
	.run = run_info,
};

const struct cli_command cli_version = {
	.name = "version",
	.operands = "",
	.summary = "Show the version",
	.run = run_version,
};
