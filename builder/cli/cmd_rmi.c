// SPDX-License-Identifier: Apache-2.0
/* bld rmi: forget names. What no name and no cache record needs is deleted by `bld prune`. */
#include "builder/cli/cli.h"

#include "builder/cli/remote.h"
#include "builder/cli/show.h"
#include "store/imageindex.h"
#include "store/store.h"
#include "store/tags.h"

#define RMI_NAMES_MAX 4096

struct opts {
	bool force;
};

static const struct cli_option options[] = {
	{"force", 'f', CLI_FLAG, offsetof(struct opts, force), NULL, NULL,
		"a name that is not there is no error"},
	{0},
};

static const char details[] =
	"NAME is a name, or an ID: then every name of that image goes. \"bld prune\"\n"
	"frees the space.\n";

static int remove_name(struct store *s, const char *name, struct err **err)
{
	int r = tags_remove(s, name, err);

	if (r > 0)
		show_line("removed %s\n", name);
	return r;
}

/* Every name of the image that an ID stands for. */
static int remove_id(struct store *s, const char *id, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_tags struct tags all = {0};

	if (imageindex_resolve(s, id, &d, NULL, err) < 0 || tags_list(s, &all, err) < 0)
		return -1;
	for (size_t n = 0; n < all.n; n++) {
		if (sha256_equal(&all.v[n].manifest.digest, &d.digest) &&
			remove_name(s, all.v[n].name, err) < 0)
			return -1;
	}
	return 0;
}

static int cmd_rmi_remove_one(struct store *s, const char *text, struct err **err)
{
	auto_free char *name = remote_name(text, NULL);
	int r = name ? remove_name(s, name, err) : 0;

	return r == 0 ? remove_id(s, text, err) : r;
}

static int cmd_rmi_run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	auto_store struct store *s = store_open(c->root, err);
	int status = 0;

	if (!s)
		return -1;
	/* All that are there go; the first that is not is the error. */
	for (size_t i = 0; i < operands->n; i++) {
		struct err *e = NULL;

		if (cmd_rmi_remove_one(s, operands->v[i], &e) >= 0)
			continue;
		if (status == 0 && !(o->force && err_get_kind(e) == ERR_NOT_FOUND)) {
			*err = e;
			status = -1;
		} else {
			err_free(e);
		}
	}
	return status;
}

const struct cli_command cli_rmi = {
	.name = "rmi",
	.operands = "NAME...",
	.summary = "Remove names of images",
	.details = details,
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = RMI_NAMES_MAX,
	.run = cmd_rmi_run,
};
