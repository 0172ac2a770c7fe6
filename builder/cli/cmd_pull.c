// SPDX-License-Identifier: Apache-2.0
/* bld pull: an image from a registry or an archive into the store. */
#include "builder/cli/cli.h"

#include <stdio.h>

#include "builder/cli/remote.h"
#include "builder/plan/platformword.h"
#include "builder/ui/ui.h"
#include "store/store.h"
#include "store/transport/transfer.h"

struct opts {
	const char *platform;
	struct remote_opts remote;
};

static const struct cli_option options[] = {
	{"platform", 0, CLI_STRING, offsetof(struct opts, platform), "OS/ARCH", NULL,
		"which image of an index (default: this machine's)"},
	REMOTE_ACCESS_OPTIONS(struct opts, remote),
	REMOTE_CERT_OPTIONS(struct opts, remote),
	REMOTE_PROGRESS_OPTIONS(struct opts, remote),
	{0},
};

static const char details[] =
	"SOURCE is a name in a registry, or oci:DIR[:NAME], oci-archive:FILE[:NAME],\n"
	"docker-archive:FILE[:NAME]. The digest of the manifest is printed.\n";

static int cmd_pull_run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	const char *source = operands->v[0];
	auto_oci_platform struct oci_platform platform = {0};
	auto_store struct store *s = NULL;
	auto_ui struct ui *ui = NULL;
	struct transfer_opts t;
	char text[DIGEST_STRING];
	struct digest d;

	if (o->platform && platformword_parse(o->platform, true, &platform, err) < 0)
		return err_rekind(err, ERR_USAGE);
	s = store_open(c->root, err);
	if (!s)
		return -1;
	ui = remote_ui(&o->remote);
	remote_transfer_opts(c, &o->remote, ui, &t);
	t.platform = o->platform ? &platform : NULL;
	remote_status(ui, "pulling %s", source);
	if (transfer_pull(s, source, NULL, &t, &d, err) < 0)
		return -1;
	ui_finish(ui);
	printf("%s\n", sha256_string(&d, text));
	return 0;
}

const struct cli_command cli_pull = {
	.name = "pull",
	.operands = "SOURCE",
	.summary = "Bring an image from a registry into the store",
	.details = details,
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = cmd_pull_run,
};
