// SPDX-License-Identifier: Apache-2.0
/*
 * --output and --push: checked before the build as far as the command line tells, carried out after
 * it. Files come from the merged layers of the image, images go by the digest of the manifest,
 * never by name, as another build may have taken the name meanwhile.
 */
#include "builder/cli/buildoutputs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cli/archive.h"
#include "builder/cli/remote.h"
#include "builder/fetch/creds.h"
#include "builder/image/annotation.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/image.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/reference.h"
#include "store/transport/transfer.h"

/* --- before the build ------------------------------------------------------------------------ */

static int buildoutputs_check_names(
	const struct output *o, const struct buildopts *opts, const char *text, struct err **err)
{
	if (!o->push || o->names.n || opts->tags.n)
		return 0;
	err_set(err, ERR_USAGE, "--output %s: a push needs a name", text);
	return err_hint(err, "add name=HOST/PATH:TAG, or -t HOST/PATH:TAG");
}

/* What a type cannot hold is told before anything is built. */
static int check_platforms(
	const struct output *o, const struct buildopts *opts, const char *text, struct err **err)
{
	if (!opts->build.platform || !strchr(opts->build.platform, ','))
		return 0;
	if (output_kind(o->type)->one_platform && (o->dest || o->to_stdout)) {
		err_set(err, ERR_USAGE, "--output %s: an archive for docker holds one platform",
			text);
		return err_hint(err, "type=oci holds several");
	}
	if (o->oci_types >= 0) {
		err_set(err, ERR_USAGE,
			"--output %s: oci-mediatypes= is for an image of one platform", text);
		return err_hint(err, "--format says of which types images and index are");
	}
	return 0;
}

int buildoutputs_open(struct buildoutputs *out, const struct buildopts *o, struct err **err)
{
	*out = (struct buildoutputs){0};
	out->v = mem_array(o->outputs.n + 1, sizeof *out->v);
	for (size_t i = 0; i < o->outputs.n; i++) {
		struct output *v = &out->v[out->n++];

		if (output_parse(o->outputs.v[i], v, err) < 0 ||
			buildoutputs_check_names(v, o, o->outputs.v[i], err) < 0 ||
			check_platforms(v, o, o->outputs.v[i], err) < 0 || output_check(v, err) < 0)
			return -1;
		if (v->to_stdout && out->to_stdout)
			return err_set(
				err, ERR_USAGE, "--output: only one can go to standard output");
		out->to_stdout = out->to_stdout || v->to_stdout;
	}
	return 0;
}

static void buildoutputs_add_name(struct strlist *out, const char *name)
{
	if (!strlist_has(out, name))
		strlist_add(out, name);
}

void buildoutputs_names(
	const struct buildoutputs *b, const struct strlist *tags, struct strlist *out)
{
	bool keep = b->n == 0;

	for (size_t i = 0; i < b->n; i++)
		keep = keep || !output_kind(b->v[i].type)->discards;
	for (size_t i = 0; keep && i < tags->n; i++)
		buildoutputs_add_name(out, tags->v[i]);
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; output_kind(b->v[i].type)->names && k < b->v[i].names.n; k++)
			buildoutputs_add_name(out, b->v[i].names.v[k]);
}

char *buildoutputs_registry(
	const struct buildoutputs *b, const struct buildopts *o, const struct strlist *names)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct strlist *own = b->v[i].names.n ? &b->v[i].names : names;

		if (b->v[i].push && own->n)
			return creds_registry(own->v[0]);
	}
	return o->push && names->n ? creds_registry(names->v[0]) : NULL;
}

void buildoutputs_clear(struct buildoutputs *b)
{
	for (size_t i = 0; i < b->n; i++)
		output_clear(&b->v[i]);
	free(b->v);
	*b = (struct buildoutputs){0};
}

/* --- files ----------------------------------------------------------------------------------- */

/* The files of all images of a result. */
struct fileset {
	struct output_files *f; /* owned; one per image, as are */
	struct strlist names;   /* "linux_arm64" */
	size_t n;
	struct output_times times;
};

static void fileset_clear(struct fileset *s)
{
	for (size_t i = 0; i < s->n; i++)
		output_files_clear(&s->f[i]);
	free(s->f);
	strlist_clear(&s->names);
}
#define auto_fileset CLEANUP(fileset_clear)

static int buildoutputs_add_image(struct fileset *set, const struct buildoutputs_job *job,
	const struct digest *manifest, struct err **err)
{
	auto_image struct image i = {0};

	if (image_open_manifest(job->s, manifest, &i, err) < 0 ||
		output_files_open(job->s, &i.config, &set->times, &set->f[set->n], err) < 0)
		return -1;
	set->f[set->n++].cancelled = job->c->cancelled;
	char *name = oci_platform_text(&i.config.platform);
	for (char *p = strchr(name, '/'); p; p = strchr(p, '/'))
		*p = '_';
	strlist_add_take(&set->names, name);
	return 0;
}

static int buildoutputs_open_files(struct fileset *set, const struct output *o,
	const struct buildoutputs_job *job, struct err **err)
{
	auto_oci_index struct oci_index x = {0};

	set->times = (struct output_times){.set = job->r->times.set,
		.clamp = job->r->times.clamp,
		.seconds = job->r->times.seconds};
	if (job->r->index && imageindex_read(job->s, &job->r->manifest, &x, err) < 0)
		return -1;
	set->f = mem_alloc((x.nmanifests + 1) * sizeof *set->f);
	for (size_t i = 0; i < x.nmanifests; i++)
		if (buildoutputs_add_image(set, job, &x.manifests[i].digest, err) < 0)
			return -1;
	if (!job->r->index && buildoutputs_add_image(set, job, &job->r->manifest, err) < 0)
		return -1;
	for (size_t i = 0; i < set->n; i++)
		if (o->platform_split < 0 ? set->n > 1 : o->platform_split)
			set->f[i].below = set->names.v[i];
	return 0;
}

static int write_tar(const struct fileset *set, const char *dest, struct err **err)
{
	auto_free char *shown = fs_printable(dest);
	struct stat st;

	if (stat(dest, &st) == 0 && !S_ISREG(st.st_mode)) {
		auto_fd int fd = open(dest, O_WRONLY | O_CLOEXEC | O_NOCTTY);

		return fd < 0 ? err_sys_kind(err, ERR_CONTEXT, "%s", shown)
			      : output_tar(set->f, set->n, fd, shown, err);
	}
	char end[FS_TEMP_NAME];
	fs_temp_name(end, sizeof end, ".bld-tmp");
	auto_free char *temp = mem_printf("%s%s", dest, end);
	auto_fd int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	int r = output_tar(set->f, set->n, fd, shown, err);
	if (r == 0 && rename(temp, dest) < 0)
		r = err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	if (r < 0)
		unlink(temp);
	return r;
}

static int write_local(const struct output *o, const struct buildoutputs_job *job,
	const struct output_files *f, bool remove_others, struct err **err)
{
	auto_free char *below = f->below ? mem_printf("%s/%s", o->dest, f->below) : NULL;
	const struct output_local_how how = {.remove_others = remove_others, .devices = o->devices};
	size_t skipped = 0;

	if (output_local(f, below ? below : o->dest, &how, &skipped, err) < 0)
		return -1;
	if (skipped) {
		auto_free char *text = mem_printf("%s: %zu device%s left out: %s", o->dest, skipped,
			skipped == 1 ? " was" : "s were",
			o->devices ? "only root can make them" : "devices=true makes them");

		ui_event(job->ui, &(struct event){.kind = EVENT_WARNING, .text = text});
	}
	return 0;
}

static int buildoutputs_write_tar(
	const struct output *o, const struct buildoutputs_job *job, struct err **err)
{
	auto_fileset struct fileset set = {0};

	if (buildoutputs_open_files(&set, o, job, err) < 0)
		return -1;
	remote_status(job->ui, "writing %s", o->to_stdout ? "a tar" : o->dest);
	return o->to_stdout ? output_tar(set.f, set.n, STDOUT_FILENO, "standard output", err)
			    : write_tar(&set, o->dest, err);
}

static int buildoutputs_write_local(
	const struct output *o, const struct buildoutputs_job *job, struct err **err)
{
	auto_fileset struct fileset set = {0};

	if (buildoutputs_open_files(&set, o, job, err) < 0)
		return -1;
	remote_status(job->ui, "writing %s", o->dest);
	for (size_t i = 0; i < set.n; i++) {
		/* In one directory, images come on top of each other. */
		bool remove = o->remove_others && (set.f[i].below || i == 0);

		if (write_local(o, job, &set.f[i], remove, err) < 0)
			return -1;
	}
	return 0;
}

/* --- images ---------------------------------------------------------------------------------- */

static void transfer_opts_of(
	const struct output *o, const struct buildoutputs_job *job, struct transfer_opts *t)
{
	remote_transfer_opts(job->c, &job->o->remote, job->ui, t);
	if (o->has_packing)
		t->packing = o->packing;
	t->repack = o->force_packing;
	if (o->insecure)
		t->tls_verify = 0;
	/* oci-mediatypes= says which ones. */
	if (job->o->format && strcmp(job->o->format, "auto") == 0 && o->oci_types < 0)
		t->types = TRANSFER_TYPES_AUTO;
}

/* oci-mediatypes=: the same image with the other family's types. */
static int open_in_form(const struct output *o, const struct buildoutputs_job *job,
	struct image *out, struct err **err)
{
	auto_image struct image i = {0};
	struct oci_descriptor d = {0};

	if (image_open_manifest(job->s, &job->r->manifest, &i, err) < 0)
		return -1;
	bool docker = strcmp(i.manifest.media_type, OCI_MEDIA_DOCKER_MANIFEST) == 0;
	if (o->oci_types < 0 || o->oci_types == !docker) {
		*out = i;
		i = (struct image){0};
		return 0;
	}
	struct image_form form = {.docker = !docker, .annotations = &i.manifest.annotations};
	if (image_write(job->s, &i.config, i.manifest.layers, &form, &d, NULL, err) < 0)
		return -1;
	int r = image_open_manifest(job->s, &d.digest, out, err);
	oci_descriptor_clear(&d);
	return r;
}

/* The name inside an archive: its own, else the first of -t. */
static char *inner_name(const struct output *o, const struct buildoutputs_job *job)
{
	auto_reference struct reference ref = {0};

	if (o->names.n && reference_parse(o->names.v[0], &ref, NULL) == 0)
		return reference_text(&ref);
	return job->r->names.n ? mem_strdup(job->r->names.v[0]) : NULL;
}

/* Without a place it is for the store of the builder, where the image is. */
static int write_archive(
	const struct output *o, const struct buildoutputs_job *job, struct err **err)
{
	auto_free char *name = inner_name(o, job);
	auto_image struct image i = {0};
	enum transfer_archive kind = o->type == OUTPUT_DOCKER ? TRANSFER_DOCKER_ARCHIVE
				     : o->directory           ? TRANSFER_OCI_DIR
							      : TRANSFER_OCI_ARCHIVE;
	const char *dest = o->to_stdout ? NULL : o->dest;
	struct transfer_opts t;

	if (!o->dest && !o->to_stdout)
		return 0;
	transfer_opts_of(o, job, &t);
	remote_status(job->ui, "writing %s", o->to_stdout ? "an archive" : o->dest);
	if (job->r->index) {
		auto_oci_descriptor struct oci_descriptor d = {.digest = job->r->manifest};

		annotation_select(
			&job->b->annotations, ANNOTATION_INDEX_DESCRIPTOR, NULL, &d.annotations);
		return archive_write_index(job->s, &d, kind, dest, name, &t, err);
	}
	if (open_in_form(o, job, &i, err) < 0)
		return -1;
	return archive_write(job->s, &i, kind, dest, name, &t, err);
}

static int push_one(const struct buildoutputs_job *job, const struct image *i, const char *name,
	const struct transfer_opts *t, struct err **err)
{
	char text[DIGEST_STRING];
	struct digest d;

	remote_status(job->ui, "pushing %s", name);
	int sent = job->r->index ? transfer_push_index(job->s, &job->r->manifest, name, t, &d, err)
				 : transfer_push(job->s, i, name, t, &d, err);
	if (sent == 0) {
		strlist_addf(job->pushed, "%s=%s", name, sha256_string(&d, text));
		return 0;
	}
	if (err && err_get_kind(*err) != ERR_CANCELLED)
		err_rekind(err, ERR_PUSH);
	err_prefix(err, "pushing %s", name);
	return err_hint(
		err, "the image is built and in the store: \"bld push %s\" tries again", name);
}

/* By digest: another build may have taken the name meanwhile. */
static int push_all(const struct output *o, const struct buildoutputs_job *job,
	const struct image *i, struct err **err)
{
	const struct strlist *names = o->names.n ? &o->names : &job->r->names;
	struct transfer_opts t;

	transfer_opts_of(o, job, &t);
	for (size_t k = 0; k < names->n; k++) {
		auto_free char *name = remote_name(names->v[k], err);

		t.user = t.password = NULL;
		if (name)
			creds_apply(&job->b->creds, NULL, name, &t);
		if (!name || push_one(job, i, name, &t, err) < 0)
			return -1;
	}
	return 0;
}

static int buildoutputs_write_image(
	const struct output *o, const struct buildoutputs_job *job, struct err **err)
{
	auto_image struct image i = {0};

	if (!o->push)
		return 0;
	if (job->r->index)
		return push_all(o, job, NULL, err);
	return open_in_form(o, job, &i, err) < 0 ? -1 : push_all(o, job, &i, err);
}

static int write_one(const struct output *o, const struct buildoutputs_job *job, struct err **err)
{
	static int (*const writers[OUTPUT_TYPES])(
		const struct output *, const struct buildoutputs_job *, struct err **) = {
		[OUTPUT_LOCAL] = buildoutputs_write_local,
		[OUTPUT_TAR] = buildoutputs_write_tar,
		[OUTPUT_OCI] = write_archive,
		[OUTPUT_DOCKER] = write_archive,
		[OUTPUT_IMAGE] = buildoutputs_write_image,
	};

	return writers[o->type] ? writers[o->type](o, job, err) : 0;
}

int buildoutputs_write(
	const struct buildoutputs *b, const struct buildoutputs_job *job, struct err **err)
{
	const struct output push = {.type = OUTPUT_IMAGE, .push = true, .oci_types = -1};

	for (size_t i = 0; i < b->n; i++)
		if (write_one(&b->v[i], job, err) < 0)
			return -1;
	return job->o->push ? write_one(&push, job, err) : 0;
}
