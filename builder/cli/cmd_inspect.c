// SPDX-License-Identifier: Apache-2.0
/* bld inspect: what is known about an image, as JSON. */
#include "builder/cli/cli.h"

#include <stdio.h>

#include "builder/cli/remote.h"
#include "builder/cli/show.h"
#include "store/blob.h"
#include "store/image.h"
#include "store/imageindex.h"
#include "store/store.h"

struct opts {
	const char *platform;
};

static const struct cli_option options[] = {
	{"platform", 0, CLI_STRING, offsetof(struct opts, platform), "OS/ARCH", NULL,
		"which image of an index (default: this machine's)"},
	{0},
};

/* The document as it lies in the store; image_open() has parsed it before. */
static int cmd_inspect_add_document(struct store *s, const struct digest *d, size_t max,
	const char *key, struct show_json *j, struct err **err)
{
	size_t len = 0;
	auto_free char *bytes = blob_read(s, d, max, &len, err);

	if (!bytes)
		return -1;
	show_json_raw(j, key, bytes, len);
	return 0;
}

static int cmd_inspect_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	auto_store struct store *s = store_open(c->root, err);
	const struct opts *o = opts;
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_image struct image i = {0};
	auto_show_json struct show_json j;
	uint64_t size = 0;

	show_json_init(&j);
	if (!s || remote_open_image(s, operands->v[0], o->platform, &i, err) < 0)
		return -1;
	for (size_t n = 0; n < i.manifest.nlayers; n++)
		size += i.manifest.layers[n].size;
	show_json_open(&j, NULL, '{');
	show_json_string(&j, "name", i.name);
	int index = imageindex_resolve(s, operands->v[0], &d, NULL, err);
	if (index < 0)
		return -1;
	if (index)
		show_json_digest(&j, "index", &d.digest);
	show_json_digest(&j, "id", &i.manifest.config.digest);
	show_json_digest(&j, "digest", &i.manifest_digest);
	show_json_number(&j, "size", size);
	if (cmd_inspect_add_document(s, &i.manifest_digest, OCI_MANIFEST_MAX, "manifest", &j, err) <
			0 ||
		cmd_inspect_add_document(
			s, &i.manifest.config.digest, OCI_CONFIG_MAX, "config", &j, err) < 0)
		return -1;
	show_json_close(&j, '}');
	show_json_print(&j);
	return 0;
}

const struct cli_command cli_inspect = {
	.name = "inspect",
	.operands = "NAME",
	.summary = "Show manifest and configuration of an image as JSON",
	.details = "Of an index one image is shown; \"bld manifest inspect\" shows the index.\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = cmd_inspect_run,
};
