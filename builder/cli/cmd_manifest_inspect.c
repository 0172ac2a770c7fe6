// SPDX-License-Identifier: Apache-2.0
/* bld manifest inspect: the document behind a name, of the store or of a registry. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cli/remote.h"
#include "builder/cli/show.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/reference.h"
#include "store/store.h"
#include "store/transport/transfer.h"

struct opts {
	const char *format;
	bool remote_only;
	struct remote_opts remote;
};

static const struct cli_option options[] = {
	{"format", 0, CLI_CHOICE, offsetof(struct opts, format), "json|text", NULL,
		"json: the document, indented; text: what it names (default: json)"},
	{"remote", 0, CLI_FLAG, offsetof(struct opts, remote_only), NULL, NULL,
		"ask the registry, also for a name of the store"},
	REMOTE_ACCESS_OPTIONS(struct opts, remote),
	REMOTE_CERT_OPTIONS(struct opts, remote),
	{0},
};

/* A document and where it is from. */
struct document {
	struct buf bytes;
	char *media_type; /* may be NULL */
	struct digest digest;
};

static void document_clear(struct document *d)
{
	buf_clear(&d->bytes);
	free(d->media_type);
}

/* 1 found in the store, 0 not there, -1. */
static int cmd_manifest_inspect_from_store(
	struct cli *c, const char *text, struct document *d, struct err **err)
{
	auto_store struct store *s = store_open(c->root, err);
	auto_oci_descriptor struct oci_descriptor found = {0};
	auto_err struct err *why = NULL;
	size_t n;

	if (!s)
		return -1;
	if (imageindex_resolve(s, text, &found, NULL, &why) < 0) {
		if (err_get_kind(why) == ERR_NOT_FOUND)
			return 0;
		*err = TAKE(why);
		return -1;
	}
	auto_free char *bytes = blob_read(s, &found.digest, OCI_MANIFEST_MAX, &n, err);
	if (!bytes)
		return -1;
	buf_add(&d->bytes, bytes, n);
	d->media_type = TAKE(found.media_type);
	return 1;
}

static int from_elsewhere(
	struct cli *c, const struct opts *o, const char *text, struct document *d, struct err **err)
{
	auto_store struct store *s = store_open(c->root, err);
	struct transfer_opts t;

	remote_transfer_opts(c, &o->remote, NULL, &t);
	return s ? transfer_document(s, text, &t, &d->bytes, &d->media_type, err) : -1;
}

/* An ID or a digest alone can only be of the store. */
static bool may_be_elsewhere(const char *text)
{
	auto_reference struct reference ref = {0};

	return transfer_is_local(text) ||
	       (strncmp(text, "sha256:", 7) != 0 && reference_parse(text, &ref, NULL) == 0);
}

static void print_annotations(const struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		show_line("%s %s\n", i ? "          " : "annotated ", l->v[i]);
}

static void print_entries(const char *head, const struct oci_descriptor *v, size_t n)
{
	struct show_table t = {.ncolumns = 4};

	show_table_row(&t, (const char *const[]){head, "DIGEST", "BYTES", "MEDIA TYPE"});
	for (size_t i = 0; i < n; i++) {
		char digest[DIGEST_STRING];
		auto_free char *platform = v[i].has_platform ? oci_platform_text(&v[i].platform)
							     : mem_printf("%zu", i + 1);
		auto_free char *bytes = mem_printf("%llu", (unsigned long long)v[i].size);

		show_table_row(
			&t, (const char *const[]){platform, sha256_string(&v[i].digest, digest),
				    bytes, v[i].media_type ? v[i].media_type : "-"});
	}
	show_table_print(&t);
}

static void print_head(const struct document *d, const char *type)
{
	char text[DIGEST_STRING];

	show_line("digest     %s\n", sha256_string(&d->digest, text));
	show_line("type       %s\n", type ? type : "-");
}

static void cmd_manifest_inspect_print_text(
	const struct document *d, const struct oci_index *x, const struct oci_manifest *m)
{
	char text[DIGEST_STRING];

	if (x) {
		print_head(d, x->media_type);
		print_annotations(&x->annotations);
		print_entries("PLATFORM", x->manifests, x->nmanifests);
		return;
	}
	print_head(d, m->media_type);
	show_line("config     %s\n", sha256_string(&m->config.digest, text));
	print_annotations(&m->annotations);
	print_entries("LAYER", m->layers, m->nlayers);
}

static int cmd_manifest_inspect_print(const struct document *d, bool as_text, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	auto_oci_manifest struct oci_manifest m = {0};
	auto_show_json struct show_json j;

	show_json_init(&j);
	int index = oci_is_index(d->bytes.data, d->bytes.len, d->media_type, err);

	if (index < 0 ||
		(index ? oci_index_parse(d->bytes.data, d->bytes.len, d->media_type, &x, err)
		       : oci_manifest_parse(d->bytes.data, d->bytes.len, d->media_type, &m, err)) <
			0)
		return -1;
	if (as_text) {
		cmd_manifest_inspect_print_text(d, index ? &x : NULL, &m);
		return 0;
	}
	show_json_raw(&j, NULL, d->bytes.data, d->bytes.len);
	show_json_print(&j);
	return 0;
}

static int cmd_manifest_inspect_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	const char *text = operands->v[0];
	struct document d CLEANUP(document_clear) = {0};
	int r = 0;

	buf_init(&d.bytes, OCI_MANIFEST_MAX);
	if (!o->remote_only && !transfer_is_local(text))
		r = cmd_manifest_inspect_from_store(c, text, &d, err);
	if (r < 0)
		return -1;
	if (r == 0 && !may_be_elsewhere(text))
		return err_set(err, ERR_NOT_FOUND, "no image %s in the store", text);
	if (r == 0 && from_elsewhere(c, o, text, &d, err) < 0)
		return err_prefix(err, o->remote_only ? "%s" : "%s is not in the store", text);
	sha256_of(d.bytes.data, d.bytes.len, &d.digest);
	if (cmd_manifest_inspect_print(&d, o->format && strcmp(o->format, "text") == 0, err) < 0)
		return err_prefix(err, "%s", text);
	return 0;
}

const struct cli_command cli_manifest_inspect = {
	.name = "manifest inspect",
	.operands = "NAME",
	.summary = "Show the index or manifest behind a name",
	.details = "NAME is a name, a digest or an ID of the store, else a name in a registry,\n"
		   "which is asked for the document only, or oci:DIR[:NAME],\n"
		   "oci-archive:FILE[:NAME].\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = cmd_manifest_inspect_run,
};
