// SPDX-License-Identifier: Apache-2.0
/* bld history: the instructions an image was made by, newest first. */
#include "builder/cli/cli.h"

#include "builder/cli/remote.h"
#include "builder/cli/show.h"
#include "builder/ui/ui.h"
#include "store/image.h"
#include "store/store.h"

struct opts {
	bool json;
	const char *platform;
};

static const struct cli_option options[] = {
	{"json", 0, CLI_FLAG, offsetof(struct opts, json), NULL, NULL, "as JSON"},
	{"platform", 0, CLI_STRING, offsetof(struct opts, platform), "OS/ARCH", NULL,
		"which image of an index (default: this machine's)"},
	{0},
};

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

static void cmd_history_add_json(
	struct show_json *j, const struct oci_history *h, const struct oci_descriptor *layer)
{
	show_json_open(j, NULL, '{');
	show_json_string(j, "created", h->created);
	show_json_string(j, "created_by", h->created_by);
	show_json_string(j, "comment", h->comment);
	show_json_bool(j, "empty_layer", h->empty_layer);
	if (layer) {
		show_json_digest(j, "layer", &layer->digest);
		show_json_number(j, "size", layer->size);
	}
	show_json_close(j, '}');
}

static void cmd_history_add_row(
	struct show_table *t, const struct oci_history *h, const struct oci_descriptor *layer)
{
	auto_buf struct buf size;

	buf_init(&size, BUF_TEXT_MAX);
	ui_add_bytes(&size, layer ? layer->size : 0);
	show_table_row(
		t, (const char *const[]){or_dash(h->created), size.data, or_dash(h->created_by)});
}

static void cmd_history_add_all(const struct image *i, struct show_json *j, struct show_table *t)
{
	size_t layer = i->manifest.nlayers;

	for (size_t n = i->config.nhistory; n > 0; n--) {
		const struct oci_history *h = &i->config.history[n - 1];
		const struct oci_descriptor *d = NULL;

		if (!h->empty_layer && layer > 0)
			d = &i->manifest.layers[--layer];
		cmd_history_add_json(j, h, d);
		cmd_history_add_row(t, h, d);
	}
}

static int cmd_history_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	auto_store struct store *s = store_open(c->root, err);
	auto_image struct image i = {0};
	auto_show_json struct show_json j;
	struct show_table t = {.ncolumns = 3};

	show_json_init(&j);
	if (!s || remote_open_image(s, operands->v[0], o->platform, &i, err) < 0)
		return -1;
	show_json_open(&j, NULL, '[');
	show_table_row(&t, (const char *const[]){"CREATED", "SIZE", "CREATED BY"});
	cmd_history_add_all(&i, &j, &t);
	show_json_close(&j, ']');
	if (o->json)
		show_json_print(&j);
	else
		show_table_print(&t);
	strlist_clear(&t.cells);
	return 0;
}

const struct cli_command cli_history = {
	.name = "history",
	.operands = "NAME",
	.summary = "Show the instructions an image was made by",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = cmd_history_run,
};
