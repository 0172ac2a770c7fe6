// SPDX-License-Identifier: Apache-2.0
// bld push: an image of the store to a registry, a layout directory or an archive.
#include "builder/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "builder/cli/remote.h"
#include "store/reference.h"
#include "store/tags.h"

struct opts {
	struct remote_opts remote;
};

static const struct cli_option options[] = {
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
	"Layers are compressed once and the result is kept. Levels are 1 to 9 for gzip\n"
	"(default 1, by far the fastest) and 1 to 19 for zstd (default 3, smaller than\n"
	"any gzip and nearly as fast, but some older tools cannot read it).\n"
	"Layers that came compressed with a base image are sent as they came.\n"
	"\n"
	"The digest of the manifest, as the destination knows it, is printed.\n";

/* Does the name stand for images of several platforms? */
static bool has_index(struct store *s, const char *text, struct digest *out)
{
	auto_reference struct reference ref = {0};
	struct oci_descriptor d = {0};

	if (reference_parse(text, &ref, NULL) < 0 || ref.has_digest)
		return false;
	auto_free char *name = reference_text(&ref);
	if (tags_find(s, name, &d, NULL) <= 0)
		return false;
	bool is = d.media_type && (strcmp(d.media_type, OCI_MEDIA_INDEX) == 0 ||
					  strcmp(d.media_type, OCI_MEDIA_DOCKER_LIST) == 0);
	*out = d.digest;
	oci_descriptor_clear(&d);
	return is;
}

static int run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	const char *dest = operands->n > 1 ? operands->v[1] : NULL;
	auto_store struct store *s = NULL;
	auto_image struct image image = {0};
	auto_ui struct ui *ui = NULL;
	struct transfer_opts t;
	char text[DIGEST_STRING];
	struct digest d, index;

	if (remote_compression(&o->remote, err) < 0)
		return -1;
	s = store_open(c->root, err);
	if (!s || image_open(s, operands->v[0], NULL, &image, err) < 0)
		return -1;
	if (!dest && !image.name) {
		err_set(err, ERR_USAGE, "%s is no name: where to?", operands->v[0]);
		return err_hint(err, "bld push %s HOST/PATH:TAG", operands->v[0]);
	}
	if (!dest)
		dest = image.name;
	ui = remote_ui(&o->remote);
	remote_transfer_opts(c, &o->remote, ui, &t);
	remote_status(ui, "pushing %s", dest);
	if (has_index(s, operands->v[0], &index)
			? transfer_push_index(s, &index, dest, &t, &d, err) < 0
			: transfer_push(s, &image, dest, &t, &d, err) < 0)
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
	.run = run,
};
