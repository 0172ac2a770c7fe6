// SPDX-License-Identifier: Apache-2.0
// bld save: an image as one archive file.
#include "builder/cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "builder/cli/archive.h"
#include "builder/cli/remote.h"

struct opts {
	const char *output;
	const char *format;
	const char *platform;
	struct remote_opts remote;
};

static const struct cli_option options[] = {
	{"output", 'o', CLI_STRING, offsetof(struct opts, output), "FILE", NULL,
		"the archive (default: standard output)"},
	{"format", 0, CLI_CHOICE, offsetof(struct opts, format), "docker-archive|oci-archive", NULL,
		"kind of archive (default: docker-archive)"},
	{"platform", 0, CLI_STRING, offsetof(struct opts, platform), "OS/ARCH", NULL,
		"which image of an index (default: this machine's)"},
	REMOTE_COMPRESSION_OPTIONS(struct opts, remote),
	REMOTE_PROGRESS_OPTIONS(struct opts, remote),
	{0},
};

static int check_output(const char *output, struct err **err)
{
	if (!output && isatty(STDOUT_FILENO)) {
		err_set(err, ERR_USAGE, "an archive is nothing for a terminal");
		return err_hint(err, "use -o FILE");
	}
	return 0;
}

static int save(const struct cli *c, struct opts *o, struct store *s, const struct image *i,
	struct err **err)
{
	auto_ui struct ui *ui = remote_ui(&o->remote);
	bool oci = o->format && strcmp(o->format, "oci-archive") == 0;
	struct transfer_opts transfer;

	o->remote.tls_verify = -1;
	remote_transfer_opts(c, &o->remote, ui, &transfer);
	remote_status(ui, "saving %s", i->name ? i->name : "image");
	return archive_write(s, i, oci ? TRANSFER_OCI_ARCHIVE : TRANSFER_DOCKER_ARCHIVE, o->output,
		i->name, &transfer, err);
}

static int run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	auto_store struct store *s = NULL;
	auto_image struct image i = {0};

	if (o->output && strcmp(o->output, "-") == 0)
		o->output = NULL;
	if (check_output(o->output, err) < 0 || remote_compression(&o->remote, err) < 0)
		return -1;
	if (o->remote.compression && o->remote.packing.c != LAYER_PLAIN &&
		!(o->format && strcmp(o->format, "oci-archive") == 0))
		return err_set(
			err, ERR_USAGE, "--compression: layers in a docker-archive are plain");
	s = store_open(c->root, err);
	if (!s || remote_open_image(s, operands->v[0], o->platform, &i, err) < 0)
		return -1;
	return save(c, o, s, &i, err);
}

const struct cli_command cli_save = {
	.name = "save",
	.operands = "NAME",
	.summary = "Write an image to an archive",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
