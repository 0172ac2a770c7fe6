// SPDX-License-Identifier: Apache-2.0
/* bld save: images as one archive file. */
#include "builder/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/archive.h"
#include "builder/cli/remote.h"
#include "store/base/mem.h"
#include "store/image.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/store.h"

#define SAVE_MAX 1000 /* as many as are loaded from one archive */

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

/* What is saved: one per operand, but no name twice. */
struct saving {
	struct found {
		struct oci_descriptor index;
		struct image image;
		char *name;
	} * v;
	struct transfer_item *items; /* as v; point into it */
	size_t n;
};

static void saving_clear(struct saving *w)
{
	for (size_t i = 0; i < w->n; i++) {
		oci_descriptor_clear(&w->v[i].index);
		image_clear(&w->v[i].image);
		free(w->v[i].name);
	}
	free(w->v);
	free(w->items);
}
#define auto_saving CLEANUP(saving_clear)

/* The image of the same name, or without a name the same image, which is there already? */
static bool is_again(const struct saving *w, const struct found *f, const struct transfer_item *t)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct transfer_item *have = &w->items[i];

		if (f->name && have->name && strcmp(f->name, have->name) == 0)
			return true;
		if (!f->name && !have->name && t->image && have->image &&
			sha256_equal(&t->image->manifest_digest, &have->image->manifest_digest))
			return true;
	}
	return false;
}

/* An OCI layout takes an index whole, unless one platform is asked for: 1, 0 when it is none. */
static int find_index(
	const struct opts *o, struct store *s, const char *text, struct found *f, struct err **err)
{
	bool whole = kind_of(o) != TRANSFER_DOCKER_ARCHIVE && !o->platform;
	auto_err struct err *why = NULL;
	int index = whole ? imageindex_resolve(s, text, &f->index, &f->name, &why) : 0;

	if (why && !err_is_verdict(why))
		return err_pass(err, &why);
	return index == 1;
}

static int add_found(
	const struct opts *o, struct store *s, const char *text, struct saving *w, struct err **err)
{
	struct found *f = &w->v[w->n];
	struct transfer_item *t = &w->items[w->n];
	int index = find_index(o, s, text, f, err);

	if (index == 1) {
		t->index = &f->index;
	} else {
		free(TAKE(f->name));
		if (index < 0 || remote_open_image(s, text, o->platform, &f->image, err) < 0)
			return -1;
		t->image = &f->image;
		f->name = f->image.name ? mem_strdup(f->image.name) : NULL;
	}
	t->name = f->name;
	if (!is_again(w, f, t)) {
		w->n++;
		return 0;
	}
	oci_descriptor_clear(&f->index);
	image_clear(&f->image);
	free(f->name);
	*f = (struct found){.name = NULL};
	*t = (struct transfer_item){.name = NULL};
	return 0;
}

static int save(const struct cli *c, struct opts *o, struct store *s,
	const struct strlist *operands, struct err **err)
{
	auto_ui struct ui *ui = remote_ui(&o->remote);
	auto_saving struct saving w = {.v = mem_alloc(operands->n * sizeof *w.v),
		.items = mem_alloc(operands->n * sizeof *w.items)};
	struct transfer_opts transfer;

	o->remote.tls_verify = -1;
	remote_transfer_opts(c, &o->remote, ui, &transfer);
	for (size_t i = 0; i < operands->n; i++)
		if (add_found(o, s, operands->v[i], &w, err) < 0)
			return -1;
	if (w.n == 1)
		remote_status(ui, "saving %s", w.v[0].name ? w.v[0].name : operands->v[0]);
	else
		remote_status(ui, "saving %zu images", w.n);
	return archive_write_all(s, w.items, w.n, kind_of(o), o->output, &transfer, err);
}

static int cmd_save_run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
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
	return s ? save(c, o, s, operands, err) : -1;
}

static const char details[] =
	"Several names go into one archive; an image with several names is in it once.\n"
	"\n"
	"Of an index, oci-archive and oci-dir get all images unless --platform names\n"
	"one; a docker-archive gets one of them.\n";

const struct cli_command cli_save = {
	.name = "save",
	.operands = "NAME...",
	.summary = "Write images to an archive",
	.details = details,
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = SAVE_MAX,
	.run = cmd_save_run,
};
