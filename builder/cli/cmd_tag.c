// SPDX-License-Identifier: Apache-2.0
/* bld tag: another name for an image. */
#include "builder/cli/cli.h"

#include "builder/cli/remote.h"
#include "builder/cli/show.h"
#include "store/imageindex.h"
#include "store/store.h"
#include "store/tags.h"

#define TAG_NAMES_MAX 128

static int cmd_tag_run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	auto_strlist struct strlist names = {0};
	auto_store struct store *s = NULL;
	auto_oci_descriptor struct oci_descriptor d = {0};

	(void)opts;
	for (size_t n = 1; n < operands->n; n++) {
		char *name = remote_name(operands->v[n], err);

		if (!name)
			return err_rekind(err, ERR_USAGE);
		strlist_add_take(&names, name);
	}
	s = store_open(c->root, err);
	if (!s || imageindex_resolve(s, operands->v[0], &d, NULL, err) < 0)
		return -1;
	if (tags_set(s, (const char *const *)names.v, names.n, &d, err) < 0)
		return -1;
	for (size_t n = 0; n < names.n; n++)
		show_line("%s\n", names.v[n]);
	return 0;
}

const struct cli_command cli_tag = {
	.name = "tag",
	.operands = "NAME NEW-NAME...",
	.summary = "Give an image another name",
	.min_operands = 2,
	.max_operands = TAG_NAMES_MAX,
	.run = cmd_tag_run,
};
