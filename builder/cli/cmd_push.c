// SPDX-License-Identifier: Apache-2.0
/* bld push: an image of the store to a registry, a layout directory or an archive. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "builder/cli/remote.h"
#include "builder/ui/ui.h"
#include "store/compress/compress.h"
#include "store/image.h"
#include "store/imageindex.h"
#include "store/oci/layertype.h"
#include "store/store.h"
#include "store/transport/transfer.h"

struct opts {
	struct remote_opts remote;
	const char *format;
};

static const struct cli_option options[] = {
	{"format", 0, CLI_CHOICE, offsetof(struct opts, format), "oci|docker|v2s2|auto", NULL,
		"media types to send it with; auto: its own, and docker for a registry that "
		"refuses those of OCI (default: its own)"},
	REMOTE_COMPRESSION_OPTIONS(struct opts, remote),
	REMOTE_ACCESS_OPTIONS(struct opts, remote),
	REMOTE_CERT_OPTIONS(struct opts, remote),
	REMOTE_PROGRESS_OPTIONS(struct opts, remote),
	{0},
};

static const char details[] =
	"NAME is a name or an ID of \"bld images\". DEST is a name in a registry (default:\n"
	"NAME), or oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME].\n"
	"\n"
	"An index goes to a registry with all its images.\n"
	"\n"
	"Layers are compressed once and the result is kept. Levels are 1 to 9 for gzip\n"
	"(default 1, by far the fastest) and 1 to 19 for zstd (default 3, smaller than\n"
	"any gzip and nearly as fast, but some older tools cannot read it).\n"
	"Layers that came compressed with a base image are sent as they came.\n"
	"\n"
	"Docker's media types (--format docker, or v2s2) have neither annotations, which\n"
	"are left out, nor zstd: such layers are sent as gzip.\n"
	"\n"
	"The digest of the manifest, as the destination knows it, is printed.\n";

static int take_format(const struct opts *o, struct transfer_opts *t, struct err **err)
{
	static const struct {
		const char *word;
		enum transfer_types types;
	} words[] = {{"oci", TRANSFER_TYPES_OCI}, {"docker", TRANSFER_TYPES_DOCKER},
		{"v2s2", TRANSFER_TYPES_DOCKER}, {"auto", TRANSFER_TYPES_AUTO}};

	for (size_t i = 0; o->format && i < ARRAY_LEN(words); i++)
		if (strcmp(o->format, words[i].word) == 0)
			t->types = words[i].types;
	if (t->types != TRANSFER_TYPES_DOCKER || layertype_of(t->packing.c)->docker)
		return 0;
	err_set(err, ERR_USAGE, "--format %s: Docker's media types know no %s", o->format,
		layer_compression_row(t->packing.c)->name);
	return err_hint(err, "--compression gzip, or --format oci");
}

/* An index goes with all its images, whatever their platforms. */
static int send(struct store *s, const struct oci_descriptor *what, bool index, const char *dest,
	const struct transfer_opts *t, struct digest *out, struct err **err)
{
	auto_image struct image image = {0};

	if (index)
		return transfer_push_index(s, &what->digest, dest, t, out, err);
	if (image_open_manifest(s, &what->digest, &image, err) < 0)
		return -1;
	return transfer_push(s, &image, dest, t, out, err);
}

static int cmd_push_run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	const char *dest = operands->n > 1 ? operands->v[1] : NULL;
	auto_store struct store *s = NULL;
	auto_oci_descriptor struct oci_descriptor what = {0};
	auto_free char *name = NULL;
	auto_ui struct ui *ui = NULL;
	struct transfer_opts t;
	char text[DIGEST_STRING];
	struct digest d;

	if (remote_compression(&o->remote, err) < 0)
		return -1;
	s = store_open(c->root, err);
	int index = s ? imageindex_resolve(s, operands->v[0], &what, &name, err) : -1;
	if (index < 0)
		return -1;
	if (!dest && !name) {
		err_set(err, ERR_USAGE, "%s is no name: where to?", operands->v[0]);
		return err_hint(err, "bld push %s HOST/PATH:TAG", operands->v[0]);
	}
	if (!dest)
		dest = name;
	ui = remote_ui(&o->remote);
	remote_transfer_opts(c, &o->remote, ui, &t);
	if (take_format(o, &t, err) < 0)
		return -1;
	remote_status(ui, "pushing %s", dest);
	if (send(s, &what, index, dest, &t, &d, err) < 0)
		return -1;
	ui_finish(ui);
	printf("%s\n", sha256_string(&d, text));
	return 0;
}

const struct cli_command cli_push = {
	.name = "push",
	.operands = "NAME [DEST]",
	.summary = "Send an image to a registry",
	.details = details,
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 2,
	.run = cmd_push_run,
};
