// SPDX-License-Identifier: Apache-2.0
// bld save: an image as one archive file.
#include "builder/cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "builder/cli/archive.h"
#include "builder/cli/remote.h"
#include "store/base/mem.h"
#include "store/image.h"
#include "store/imageindex.h"

struct opts {
	const char *output;
	const char *format;
	const char *platform;
	struct remote_opts remote;
};

static const struct cli_option options[] = {
	{"output", 'o', CLI_STRING, offsetof(struct opts, output), "FILE", NULL,
		"the archive, of oci-dir the directory (default: standard output)"},
	{"format", 0, CLI_CHOICE, offsetof(struct opts, format),
		"docker-archive|oci-archive|oci-dir", NULL,
		"kind of archive (default: docker-archive)"},
	{"platform", 0, CLI_STRING, offsetof(struct opts, platform), "OS/ARCH", NULL,
		"which image of an index (default: this machine's, or all)"},
	REMOTE_COMPRESSION_OPTIONS(struct opts, remote),
	REMOTE_PROGRESS_OPTIONS(struct opts, remote),
	{0},
};

static int check_output(const struct opts *o, struct err **err)
{
	if (!o->output && o->format && strcmp(o->format, "oci-dir") == 0)
		return err_set(err, ERR_USAGE, "--format oci-dir needs -o DIR");
	if (!o->output && isatty(STDOUT_FILENO)) {
		err_set(err, ERR_USAGE, "an archive is nothing for a terminal");
		return err_hint(err, "use -o FILE");
	}
	return 0;
}

static enum transfer_archive kind_of(const struct opts *o)
{
	if (!o->format || strcmp(o->format, "docker-archive") == 0)
		return TRANSFER_DOCKER_ARCHIVE;
	return strcmp(o->format, "oci-dir") == 0 ? TRANSFER_OCI_DIR : TRANSFER_OCI_ARCHIVE;
}

/* An OCI layout takes an index whole, unless one platform is asked for. */
static int save(
	const struct cli *c, struct opts *o, struct store *s, const char *text, struct err **err)
{
	auto_ui struct ui *ui = remote_ui(&o->remote);
	enum transfer_archive kind = kind_of(o);
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_image struct image i = {0};
	auto_free char *name = NULL;
	struct transfer_opts transfer;

	o->remote.tls_verify = -1;
	remote_transfer_opts(c, &o->remote, ui, &transfer);
	bool whole = kind != TRANSFER_DOCKER_ARCHIVE && !o->platform;
	auto_err struct err *why = NULL;
	int index = whole ? imageindex_resolve(s, text, &d, &name, &why) : 0;
	if (why && !err_is_verdict(why))
		return err_pass(err, &why);
	if (index == 1) {
		remote_status(ui, "saving %s", name ? name : "index");
		return archive_write_index(s, &d, kind, o->output, name, &transfer, err);
	}
	if (remote_open_image(s, text, o->platform, &i, err) < 0)
		return -1;
	remote_status(ui, "saving %s", i.name ? i.name : "image");
	return archive_write(s, &i, kind, o->output, i.name, &transfer, err);
}

static int run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	auto_store struct store *s = NULL;

	if (o->output && strcmp(o->output, "-") == 0)
		o->output = NULL;
	if (check_output(o, err) < 0 || remote_compression(&o->remote, err) < 0)
		return -1;
	if (o->remote.compression && o->remote.packing.c != LAYER_PLAIN &&
		kind_of(o) == TRANSFER_DOCKER_ARCHIVE)
		return err_set(
			err, ERR_USAGE, "--compression: layers in a docker-archive are plain");
	s = store_open(c->root, err);
	return s ? save(c, o, s, operands->v[0], err) : -1;
}

static const char details[] =
	"Of an index, oci-archive and oci-dir get all images unless --platform names\n"
	"one; a docker-archive has one image.\n";

const struct cli_command cli_save = {
	.name = "save",
	.operands = "NAME",
	.summary = "Write an image to an archive",
	.details = details,
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
