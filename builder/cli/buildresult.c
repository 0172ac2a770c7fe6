// SPDX-License-Identifier: Apache-2.0
/*
 * What is told of a finished build: --iidfile first, so that it is there even when a push fails,
 * then the outputs, then digests, metadata and the lines on standard output. Digests are those of
 * the pushed manifest if there is one, since that is what others see.
 */
#include "builder/cli/buildresult.h"

#include <stdio.h>
#include <string.h>

#include "builder/cli/show.h"
#include "store/base/mem.h"
#include "store/image.h"

/* The manifest that others will see: the pushed one, else the one in the store. */
static struct digest published(const struct build_result *r, const struct strlist *pushed)
{
	struct digest d = r->manifest;

	if (pushed->n)
		(void)sha256_parse_string(strrchr(pushed->v[0], '=') + 1, &d);
	return d;
}

static void add_pairs(struct show_json *j, const char *key, const struct strlist *pairs)
{
	if (pairs->n == 0)
		return;
	show_json_open(j, key, '{');
	for (size_t i = 0; i < pairs->n; i++) {
		const char *value;
		auto_free char *name = strlist_split_kv(pairs->v[i], &value);

		show_json_string(j, name, value);
	}
	show_json_close(j, '}');
}

/* As BuildKit has it: media type, digest and size, what the manifest says of itself, platform. */
static void add_descriptor(struct show_json *j, const struct image *i)
{
	const struct oci_platform *p = &i->config.platform;

	show_json_open(j, "containerimage.descriptor", '{');
	show_json_string(j, "mediaType", i->manifest.media_type);
	show_json_digest(j, "digest", &i->manifest_digest);
	show_json_number(j, "size", i->manifest_size);
	add_pairs(j, "annotations", &i->manifest.annotations);
	if (p->os && p->architecture) {
		show_json_open(j, "platform", '{');
		show_json_string(j, "architecture", p->architecture);
		show_json_string(j, "os", p->os);
		if (p->variant)
			show_json_string(j, "variant", p->variant);
		show_json_close(j, '}');
	}
	show_json_close(j, '}');
}

/* pushed: "NAME=sha256:..." of every push that went well. */
static void add_pushed(struct show_json *j, const struct strlist *pushed)
{
	if (pushed->n == 0)
		return;
	show_json_open(j, "containerimage.pushed", '{');
	for (size_t i = 0; i < pushed->n; i++) {
		const char *eq = strrchr(pushed->v[i], '=');
		auto_free char *name = mem_strndup(pushed->v[i], (size_t)(eq - pushed->v[i]));

		show_json_string(j, name, eq + 1);
	}
	show_json_close(j, '}');
}

/* The result of one target, and what was pushed of it. */
struct delivered {
	const struct build_result *r;
	struct strlist pushed; /* "NAME=sha256:..." of every push that went well */
};

static int add_result(
	struct show_json *j, struct store *s, const struct delivered *d, struct err **err)
{
	const struct build_result *r = d->r;
	auto_image struct image i = {0};
	struct digest manifest = published(r, &d->pushed);
	auto_buf struct buf names;

	buf_init(&names, BUF_TEXT_MAX);
	if (!r->index && image_open_manifest(s, &manifest, &i, err) < 0)
		return -1;
	for (size_t n = 0; n < r->names.n; n++)
		buf_addf(&names, "%s%s", n ? "," : "", r->names.v[n]);
	show_json_open(j, r->target, '{');
	if (!r->index) {
		show_json_digest(j, "containerimage.config.digest", &r->config);
		add_descriptor(j, &i);
	}
	show_json_digest(j, "containerimage.digest", &manifest);
	if (r->names.n)
		show_json_string(j, "image.name", names.data);
	add_pushed(j, &d->pushed);
	show_json_close(j, '}');
	return 0;
}

/* Of several targets an object in which each has a member of its name, as a bake has it. */
static int write_metadata(const struct outfile *f, struct store *s, const struct delivered *v,
	size_t n, struct err **err)
{
	auto_show_json struct show_json j;
	auto_buf struct buf out;

	show_json_init(&j);
	buf_init(&out, BUF_TEXT_MAX);
	if (!f->path)
		return 0;
	if (n > 1)
		show_json_open(&j, NULL, '{');
	for (size_t i = 0; i < n; i++)
		if (add_result(&j, s, &v[i], err) < 0)
			return -1;
	if (n > 1)
		show_json_close(&j, '}');
	show_json_pretty(&j, &out);
	return outfile_write(f, out.data, out.len, err);
}

/* One digest as it is; several on a line each. */
static int write_digests(
	const struct outfile *f, const struct delivered *v, size_t n, bool ids, struct err **err)
{
	auto_buf struct buf out;
	char text[DIGEST_STRING];

	buf_init(&out, BUF_TEXT_MAX);
	for (size_t i = 0; i < n; i++) {
		struct digest d = ids ? v[i].r->config : published(v[i].r, &v[i].pushed);

		buf_addf(&out, "%s%s", sha256_string(&d, text), n > 1 ? "\n" : "");
	}
	return outfile_write(f, out.data, out.len, err);
}

static void show_result(const struct buildopts *o, const struct delivered *d)
{
	const struct build_result *r = d->r;
	char text[DIGEST_STRING];

	if (o->remote.quiet) {
		printf("%s\n", sha256_string(&r->config, text));
		return;
	}
	if (r->target)
		show_line("target  %s\n", r->target);
	if (!r->index)
		printf("image   %s\n", sha256_string(&r->config, text));
	printf("digest  %s\n", sha256_string(&r->manifest, text));
	for (size_t i = 0; i < r->names.n; i++)
		show_line("name    %s\n", r->names.v[i]);
	for (size_t i = 0; i < d->pushed.n; i++) {
		const char *eq = strrchr(d->pushed.v[i], '=');

		show_line("pushed  %.*s@%s\n", (int)(eq - d->pushed.v[i]), d->pushed.v[i], eq + 1);
	}
}

int buildresult_open(
	struct buildresult *b, const struct cli *c, const struct buildopts *o, struct err **err)
{
	*b = (struct buildresult){.c = c, .o = o};
	if (buildoutputs_open(&b->outputs, o, err) < 0 ||
		outfile_open(&b->iid, o->iidfile, err) < 0 ||
		outfile_open(&b->digest, o->digestfile, err) < 0 ||
		outfile_open(&b->metadata, o->metadata_file, err) < 0)
		return -1;
	return 0;
}

static int write_outputs(const struct buildresult *b, struct store *s, struct ui *ui,
	struct delivered *v, size_t n, struct err **err)
{
	for (size_t i = 0; i < n; i++) {
		const struct buildoutputs_job job = {.c = b->c,
			.o = b->o,
			.b = b->b,
			.s = s,
			.ui = ui,
			.r = v[i].r,
			.pushed = &v[i].pushed};

		if (buildoutputs_write(&b->outputs, &job, err) < 0)
			return -1;
	}
	return 0;
}

int buildresult_deliver(const struct buildresult *b, struct store *s, struct ui *ui,
	const struct build_results *r, struct err **err)
{
	size_t n = r->n;
	auto_free struct delivered *v = mem_alloc(n * sizeof *v);

	for (size_t i = 0; i < n; i++)
		v[i].r = &r->v[i];
	if (write_digests(&b->iid, v, n, true, err) < 0)
		return -1;
	int status = write_outputs(b, s, ui, v, n, err);
	/* Also after a push that failed: the image is there. */
	struct err **first = status < 0 ? NULL : err;
	if (write_digests(&b->digest, v, n, false, first) < 0 ||
		write_metadata(&b->metadata, s, v, n, first) < 0)
		status = -1;
	ui_finish(ui);
	for (size_t i = 0; i < n; i++) {
		if (status == 0 && !b->outputs.to_stdout)
			show_result(b->o, &v[i]);
		strlist_clear(&v[i].pushed);
	}
	return status;
}

void buildresult_clear(struct buildresult *b)
{
	buildoutputs_clear(&b->outputs);
}
