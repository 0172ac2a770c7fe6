// SPDX-License-Identifier: Apache-2.0
/* bld images: the names of the store and what they stand for. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "builder/cli/show.h"
#include "builder/ui/ui.h"
#include "store/base/now.h"
#include "store/image.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/store.h"
#include "store/tags.h"

struct opts {
	bool digests;
	bool json;
	bool quiet;
};

static const struct cli_option options[] = {
	{"digests", 0, CLI_FLAG, offsetof(struct opts, digests), NULL, NULL,
		"also the digests of the manifests"},
	{"json", 0, CLI_FLAG, offsetof(struct opts, json), NULL, NULL, "as JSON"},
	{"quiet", 'q', CLI_FLAG, offsetof(struct opts, quiet), NULL, NULL, "image IDs only"},
	{0},
};

static uint64_t layers_size(const struct image *i)
{
	uint64_t sum = 0;

	for (size_t n = 0; n < i->manifest.nlayers; n++)
		sum += i->manifest.layers[n].size;
	return sum;
}

/* What others write there is anything from nothing to prose; in a table it is one word of the usual
 * length. --json has it as it is. */
static const char *created(const struct image *i, char out[NOW_RFC3339])
{
	int64_t seconds;

	if (!i->config.created || now_parse_rfc3339(i->config.created, &seconds) < 0)
		return "-";
	return now_rfc3339(seconds, out);
}

static void cmd_images_add_json(
	struct show_json *j, const struct tags_entry *e, const struct image *i)
{
	show_json_open(j, NULL, '{');
	show_json_string(j, "name", e->name);
	show_json_digest(j, "digest", &e->manifest.digest);
	if (i) {
		show_json_digest(j, "id", &i->manifest.config.digest);
		show_json_string(j, "created", i->config.created);
		show_json_number(j, "size", layers_size(i));
	} else {
		show_json_bool(j, "damaged", true);
	}
	show_json_close(j, '}');
}

static void cmd_images_add_row(struct show_table *t, const struct opts *o,
	const struct tags_entry *e, const struct image *i)
{
	char digest[DIGEST_STRING], id[DIGEST_HEX], time[NOW_RFC3339];
	auto_buf struct buf size;
	const char *cells[SHOW_COLUMNS_MAX];
	size_t n = 0;

	buf_init(&size, BUF_TEXT_MAX);
	cells[n++] = e->name;
	if (o->digests)
		cells[n++] = sha256_string(&e->manifest.digest, digest);
	if (i)
		ui_add_bytes(&size, layers_size(i));
	cells[n++] = i ? show_short_id(&i->manifest.config.digest, id) : "damaged";
	cells[n++] = i ? created(i, time) : "-";
	cells[n++] = i ? size.data : "-";
	show_table_row(t, cells);
}

/* What an index says, with the size of the layers of its images that are here, shared ones once
 * for each. */
static int show_index(struct store *s, const struct opts *o, const struct tags_entry *e,
	const struct oci_index *x, struct show_json *j, struct show_table *t, struct err **err)
{
	char digest[DIGEST_STRING];
	auto_buf struct buf size;
	const char *cells[SHOW_COLUMNS_MAX];
	uint64_t sum = 0;
	size_t n = 0;

	buf_init(&size, BUF_TEXT_MAX);
	show_json_open(j, NULL, '{');
	show_json_string(j, "name", e->name);
	show_json_digest(j, "digest", &e->manifest.digest);
	show_json_open(j, "platforms", '[');
	for (size_t i = 0; i < x->nmanifests; i++) {
		auto_image struct image image = {0};
		auto_free char *platform = oci_platform_text(&x->manifests[i].platform);

		show_json_string(j, NULL, platform);
		auto_err struct err *why = NULL;
		if (image_open_manifest(s, &x->manifests[i].digest, &image, &why) == 0)
			sum += layers_size(&image);
		else if (!err_is_verdict(why))
			return err_pass(err, &why);
	}
	show_json_close(j, ']');
	show_json_number(j, "size", sum);
	show_json_close(j, '}');
	ui_add_bytes(&size, sum);
	cells[n++] = e->name;
	sha256_string(&e->manifest.digest, digest);
	if (o->digests)
		cells[n++] = digest;
	cells[n++] = "index";
	cells[n++] = "-";
	cells[n++] = size.data;
	show_table_row(t, cells);
	if (o->quiet && !o->json)
		printf("%s\n", digest);
	return 0;
}

/* An image that is damaged is listed as such: the others are of interest all the same. */
static int show_one(struct store *s, const struct opts *o, const struct tags_entry *e,
	struct show_json *j, struct show_table *t, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_oci_index struct oci_index x = {0};
	auto_image struct image image = {0};

	auto_err struct err *why = NULL;
	int index = imageindex_resolve(s, e->name, &d, NULL, &why);
	if (index == 1 && imageindex_read(s, &d.digest, &x, &why) == 0)
		return show_index(s, o, e, &x, j, t, err);
	if (!why)
		image_open(s, e->name, NULL, &image, &why);
	if (why && !err_is_verdict(why))
		return err_pass(err, &why);
	const struct image *i = why ? NULL : &image;
	char id[DIGEST_STRING];

	if (o->json)
		cmd_images_add_json(j, e, i);
	else if (!o->quiet)
		cmd_images_add_row(t, o, e, i);
	else if (i)
		printf("%s\n", sha256_string(&i->manifest.config.digest, id));
	return 0;
}

static int cmd_images_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	auto_store struct store *s = store_open(c->root, err);
	auto_tags struct tags tags = {0};
	auto_show_json struct show_json j;
	struct show_table t = {.ncolumns = o->digests ? 5 : 4};

	(void)operands;
	show_json_init(&j);
	if (!s || tags_list(s, &tags, err) < 0)
		return -1;
	show_json_open(&j, NULL, '[');
	show_table_row(&t,
		o->digests ? (const char *const[]){"NAME", "DIGEST", "IMAGE ID", "CREATED", "SIZE"}
			   : (const char *const[]){"NAME", "IMAGE ID", "CREATED", "SIZE"});
	for (size_t i = 0; i < tags.n; i++)
		if (show_one(s, o, &tags.v[i], &j, &t, err) < 0) {
			strlist_clear(&t.cells);
			return -1;
		}
	show_json_close(&j, ']');
	if (o->json)
		show_json_print(&j);
	if (o->json || o->quiet)
		strlist_clear(&t.cells);
	else
		show_table_print(&t);
	return 0;
}

const struct cli_command cli_images = {
	.name = "images",
	.operands = "",
	.summary = "List the images of the store",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = cmd_images_run,
};
