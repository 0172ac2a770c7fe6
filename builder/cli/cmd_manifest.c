// SPDX-License-Identifier: Apache-2.0
/* bld manifest create, add, remove, annotate: an image index made of images of the store. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cli/cmd_manifest.h"
#include "builder/cli/remote.h"
#include "builder/image/annotation.h"
#include "builder/plan/platformword.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/reference.h"
#include "store/tags.h"

#define MANIFEST_IMAGES_MAX 1024 /* operands of one command */
#define NESTED_MAX          4    /* an index in an index */

/* The index that is being changed. */
struct work {
	struct store *s;
	char *name;
	struct oci_index x;
	size_t old; /* entries that were there before: new ones of the same platform replace them */
	int lock;   /* owned: held from reading an index until it is written */
};

static void cmd_manifest_work_clear(struct work *w)
{
	free(w->name);
	oci_index_clear(&w->x);
	cleanup_fd(&w->lock);
	store_closep(&w->s);
}
#define auto_work CLEANUP(cmd_manifest_work_clear)

static char *shown_platform(const struct oci_descriptor *e)
{
	return e->has_platform ? oci_platform_text(&e->platform) : mem_strdup("no platform");
}

/* Find the index of this name in the store that is open: 1, 0 no such name, -1. */
static int work_find(struct work *w, const char *text, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_reference struct reference ref = {0};

	if (reference_parse(text, &ref, err) < 0)
		return err_rekind(err, ERR_USAGE);
	if (ref.has_digest)
		return err_set(err, ERR_USAGE, "%s: a name with a digest cannot be changed", text);
	w->name = reference_text(&ref);
	int r = tags_find(w->s, w->name, &d, err);
	if (r <= 0)
		return r;
	oci_descriptor_clear(&d);
	r = imageindex_resolve(w->s, w->name, &d, NULL, err);
	if (r == 0) {
		err_set(err, ERR_USAGE, "%s is a single image, not an index", w->name);
		return err_hint(
			err, "give the index another name: bld manifest create NAME %s", text);
	}
	if (r < 0 || imageindex_read(w->s, &d.digest, &w->x, err) < 0)
		return -1;
	w->old = w->x.nmanifests;
	return 1;
}

/* Two that change indexes at a time: the second reads what the first has written. */
static int work_lock(struct work *w, struct err **err)
{
	w->lock = lock_take(store_dir(w->s, STORE_LOCKS), "manifest", LOCK_EXCLUSIVE, true, err);
	return w->lock < 0 ? -1 : 0;
}

static int work_open(struct work *w, struct cli *c, const char *text, struct err **err)
{
	w->s = store_open(c->root, err);
	return w->s && work_lock(w, err) == 0 ? work_find(w, text, err) : -1;
}

static int work_open_existing(struct work *w, struct cli *c, const char *text, struct err **err)
{
	int r = work_open(w, c, text, err);

	if (r)
		return r;
	err_set(err, ERR_NOT_FOUND, "no index %s in the store", w->name);
	return err_hint(err, "bld manifest create %s makes it", text);
}

static int work_write(struct work *w, struct digest *out, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor d = {0};
	const char *names[] = {w->name};

	if (imageindex_write(w->s, &w->x, &d, err) < 0 || tags_set(w->s, names, 1, &d, err) < 0)
		return -1;
	*out = d.digest;
	return 0;
}

static int work_save(struct work *w, struct err **err)
{
	struct digest d;
	char text[DIGEST_STRING];

	if (work_write(w, &d, err) < 0)
		return -1;
	printf("%s\n", sha256_string(&d, text));
	return 0;
}

/* --- entries -------------------------------------------------------------------------------- */

static void remove_at(struct work *w, size_t at)
{
	struct oci_descriptor *v = w->x.manifests;

	oci_descriptor_clear(&v[at]);
	w->x.nmanifests--;
	memmove(&v[at], &v[at + 1], (w->x.nmanifests - at) * sizeof *v);
	if (at < w->old)
		w->old--;
}

static bool same_platform(const struct oci_descriptor *a, const struct oci_descriptor *b)
{
	if (!a->has_platform || !b->has_platform)
		return false;
	auto_free char *x = oci_platform_text(&a->platform);
	auto_free char *y = oci_platform_text(&b->platform);
	/* Attestations have none of their own, and there is one for each image. */
	return strcmp(x, y) == 0 && strncmp(x, "unknown/", 8) != 0;
}

/* Make place for an entry: 1 it is there already, 0, -1 another new one has its platform. */
static int make_place(
	struct work *w, const struct oci_descriptor *e, const char *text, struct err **err)
{
	for (size_t i = 0; i < w->x.nmanifests; i++) {
		const struct oci_descriptor *have = &w->x.manifests[i];

		if (sha256_equal(&have->digest, &e->digest))
			return 1;
		if (!same_platform(have, e))
			continue;
		if (i >= w->old) {
			auto_free char *p = shown_platform(e);
			err_set(err, ERR_USAGE, "%s: another image for %s was given before it",
				text, p);
			return err_hint(err, "an index has one image for each platform");
		}
		remove_at(w, i);
		break;
	}
	return 0;
}

/* Takes what *e has, whatever comes of it. */
static int cmd_manifest_add_entry(
	struct work *w, struct oci_descriptor *e, const char *text, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor own = *e;
	int r;

	*e = (struct oci_descriptor){0};
	if (!own.has_platform) {
		err_set(err, ERR_USAGE, "%s: its configuration names no platform", text);
		return err_hint(err, "bld manifest add --platform OS/ARCH NAME %s", text);
	}
	r = make_place(w, &own, text, err);
	if (r)
		return r < 0 ? -1 : 0;
	struct oci_descriptor *v = mem_array(w->x.nmanifests + 1, sizeof *v);
	if (w->x.nmanifests)
		memcpy(v, w->x.manifests, w->x.nmanifests * sizeof *v);
	free(w->x.manifests);
	v[w->x.nmanifests++] = own;
	w->x.manifests = v;
	own = (struct oci_descriptor){0};
	return 0;
}

static int cmd_manifest_add_document(struct work *w, const struct oci_descriptor *d, bool index,
	const struct oci_platform *platform, const char *text, int depth, struct err **err);

/* Every image of an index, with what the index says of it. */
static int add_all_of(
	struct work *w, const struct digest *index, const char *text, int depth, struct err **err)
{
	auto_oci_index struct oci_index x = {0};

	if (depth == NESTED_MAX)
		return err_set(
			err, ERR_CORRUPT, "%s: indexes nested deeper than %d", text, NESTED_MAX);
	if (imageindex_read(w->s, index, &x, err) < 0)
		return -1;
	for (size_t i = 0; i < x.nmanifests; i++) {
		struct oci_descriptor *e = &x.manifests[i];
		bool nested = strcmp(e->media_type, OCI_MEDIA_INDEX) == 0 ||
			      strcmp(e->media_type, OCI_MEDIA_DOCKER_LIST) == 0;

		int have = blob_exists(w->s, &e->digest, NULL, err);
		if (have < 0)
			return -1;
		if (!have) {
			auto_free char *p = shown_platform(e);
			err_set(err, ERR_NOT_FOUND, "%s: its image for %s is not in the store",
				text, p);
			return err_hint(err, "bld pull --platform %s gets it", p);
		}
		if ((nested || !e->has_platform ? cmd_manifest_add_document(
							  w, e, nested, NULL, text, depth + 1, err)
						: cmd_manifest_add_entry(w, e, text, err)) < 0)
			return -1;
	}
	return 0;
}

static int cmd_manifest_add_document(struct work *w, const struct oci_descriptor *d, bool index,
	const struct oci_platform *platform, const char *text, int depth, struct err **err)
{
	struct oci_descriptor e = {0};

	if (index && platform)
		return err_set(err, ERR_USAGE,
			"--platform: %s is an index, which says the platforms itself", text);
	if (index)
		return add_all_of(w, &d->digest, text, depth, err);
	if (imageindex_entry(w->s, &d->digest, &e, err) < 0)
		return -1;
	if (platform) {
		oci_platform_clear(&e.platform);
		oci_platform_copy(&e.platform, platform);
		e.has_platform = true;
	}
	return cmd_manifest_add_entry(w, &e, text, err);
}

static int cmd_manifest_add_image(
	struct work *w, const char *text, const struct oci_platform *platform, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor d = {0};
	int r = imageindex_resolve(w->s, text, &d, NULL, err);

	if (r < 0)
		return err_get_kind(*err) == ERR_NOT_FOUND
			       ? err_hint(err,
					 "an index is made of images of the store: bld build -t "
					 "%s or bld pull %s",
					 text, text)
			       : -1;
	return cmd_manifest_add_document(w, &d, r == 1, platform, text, 0, err);
}

/* --- annotations ---------------------------------------------------------------------------- */

/* A pair without a type belongs to `usual`: "index" or "manifest-descriptor". */
static int cmd_manifest_take_annotations(
	const struct strlist *in, const char *usual, struct strlist *out, struct err **err)
{
	for (size_t i = 0; i < in->n; i++) {
		const char *text = in->v[i];
		unsigned levels;

		if (annotation_check(text, &levels, err) < 0)
			return -1;
		if (!memchr(text, ':', strcspn(text, "="))) {
			strlist_addf(out, "%s:%s", usual, text);
			continue;
		}
		if (levels & ~(unsigned)(ANNOTATION_INDEX | ANNOTATION_MANIFEST_DESCRIPTOR)) {
			err_set(err, ERR_USAGE, "--annotation %s: that is not part of an index",
				text);
			return err_hint(err,
				"index: or manifest-descriptor: can be annotated here, "
				"the manifest by \"bld build --annotation\"");
		}
		strlist_add(out, text);
	}
	return 0;
}

static void annotate(struct oci_index *x, const struct strlist *given)
{
	annotation_select(given, ANNOTATION_INDEX, NULL, &x->annotations);
	for (size_t i = 0; i < x->nmanifests; i++)
		annotation_select(given, ANNOTATION_MANIFEST_DESCRIPTOR, &x->manifests[i].platform,
			&x->manifests[i].annotations);
}

/* --- for bld build --- */

static void cmd_manifest_set_type(struct work *w, bool docker)
{
	free(w->x.media_type);
	w->x.media_type = mem_strdup(docker ? OCI_MEDIA_DOCKER_LIST : OCI_MEDIA_INDEX);
}

/* The store is the caller's. */
static void work_return(struct work *w)
{
	w->s = NULL;
	cmd_manifest_work_clear(w);
}

int cmd_manifest_check(struct store *s, const char *name, struct err **err)
{
	struct work w = {.s = s, .lock = -1};
	int r = work_find(&w, name, err);

	work_return(&w);
	return r < 0 ? err_prefix(err, "--manifest") : 0;
}

int cmd_manifest_take(struct store *s, const char *name, const struct digest *d, bool index,
	bool docker, struct err **err)
{
	const struct oci_descriptor built = {.digest = *d};
	struct work w = {.s = s, .lock = -1};
	struct digest out;
	int r = work_lock(&w, err) < 0 ? -1 : work_find(&w, name, err);

	if (r >= 0 && !w.x.media_type)
		cmd_manifest_set_type(&w, docker);
	if (r >= 0)
		r = cmd_manifest_add_document(&w, &built, index, NULL, name, 0, err);
	if (r >= 0)
		r = work_write(&w, &out, err);
	work_return(&w);
	return r < 0 ? err_prefix(err, "--manifest") : 0;
}

/* --- create and add ------------------------------------------------------------------------- */

struct create_opts {
	bool amend;
	const char *format;
	struct strlist annotations;
};

static int run_create(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct create_opts *o = opts;
	auto_work struct work w = {.lock = -1};
	auto_strlist struct strlist given = {0};

	if (cmd_manifest_take_annotations(&o->annotations, "index", &given, err) < 0)
		return -1;
	int r = work_open(&w, c, operands->v[0], err);
	if (r < 0)
		return -1;
	if (r && !o->amend) {
		err_set(err, ERR_USAGE, "there is an index %s already", w.name);
		return err_hint(
			err, "--amend adds to it, \"bld rmi %s\" removes it", operands->v[0]);
	}
	if (o->format || !w.x.media_type)
		cmd_manifest_set_type(&w, o->format && strcmp(o->format, "docker") == 0);
	for (size_t i = 1; i < operands->n; i++)
		if (cmd_manifest_add_image(&w, operands->v[i], NULL, err) < 0)
			return -1;
	annotate(&w.x, &given);
	return work_save(&w, err);
}

static const struct cli_option create_options[] = {
	{"amend", 0, CLI_FLAG, offsetof(struct create_opts, amend), NULL, NULL,
		"change the index of this name; an image replaces the one of its platform"},
	{"annotation", 0, CLI_LIST, offsetof(struct create_opts, annotations), "[TYPE:]K=V", NULL,
		"annotate the index, or with TYPE manifest-descriptor[PLATFORM] entries of it; "
		"may be repeated"},
	{"format", 0, CLI_CHOICE, offsetof(struct create_opts, format), "oci|docker", NULL,
		"media type of the index (default: oci)"},
	{"all", 0, CLI_IGNORED, 0, NULL, NULL, "of an index all images are taken"},
	{0},
};

static const struct cli_command cli_manifest_create = {
	.name = "manifest create",
	.operands = "NAME [IMAGE]...",
	.summary = "Make an index of images of the store",
	.details = "Every IMAGE is a name, a digest or an ID of the store; of an index all its\n"
		   "images are taken. The platform of each is what its configuration says. The\n"
		   "digest of the index is printed; \"bld push NAME\" sends it with its images.\n",
	.options = create_options,
	.opts_size = sizeof(struct create_opts),
	.min_operands = 1,
	.max_operands = MANIFEST_IMAGES_MAX,
	.run = run_create,
};

struct entry_opts {
	struct strlist annotations;
	const char *platform;
};

static int cmd_manifest_take_platform(const char *text, struct oci_platform *out, struct err **err)
{
	if (text && platformword_parse(text, true, out, err) < 0) {
		err_rekind(err, ERR_USAGE);
		return err_prefix(err, "--platform");
	}
	return 0;
}

static int run_add(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct entry_opts *o = opts;
	auto_work struct work w = {.lock = -1};
	auto_strlist struct strlist given = {0};
	auto_oci_platform struct oci_platform p = {0};

	if (cmd_manifest_take_annotations(&o->annotations, "manifest-descriptor", &given, err) <
			0 ||
		cmd_manifest_take_platform(o->platform, &p, err) < 0 ||
		work_open_existing(&w, c, operands->v[0], err) < 0)
		return -1;
	for (size_t i = 1; i < operands->n; i++)
		if (cmd_manifest_add_image(&w, operands->v[i], o->platform ? &p : NULL, err) < 0)
			return -1;
	/* Only what was added is annotated. */
	for (size_t i = w.old; i < w.x.nmanifests; i++)
		annotation_select(&given, ANNOTATION_MANIFEST_DESCRIPTOR,
			&w.x.manifests[i].platform, &w.x.manifests[i].annotations);
	annotation_select(&given, ANNOTATION_INDEX, NULL, &w.x.annotations);
	return work_save(&w, err);
}

#define ENTRY_OPTIONS                                                                              \
	{"annotation", 0, CLI_LIST, offsetof(struct entry_opts, annotations), "K=V", NULL,         \
		"annotate the entry; may be repeated"},                                            \
	{                                                                                          \
		"platform", 0, CLI_STRING, offsetof(struct entry_opts, platform),                  \
			"OS/ARCH[/VARIANT]", NULL, "platform of the entry"                         \
	}

static const struct cli_option add_options[] = {
	ENTRY_OPTIONS,
	{"all", 0, CLI_IGNORED, 0, NULL, NULL, "of an index all images are taken"},
	{0},
};

static const struct cli_command cli_manifest_add = {
	.name = "manifest add",
	.operands = "NAME IMAGE...",
	.summary = "Add images to an index, or replace those of their platforms",
	.options = add_options,
	.opts_size = sizeof(struct entry_opts),
	.min_operands = 2,
	.max_operands = MANIFEST_IMAGES_MAX,
	.run = run_add,
};

/* --- remove and annotate -------------------------------------------------------------------- */

static bool is_entry(const struct oci_descriptor *e, const char *text, const char *platform,
	const struct digest *digest)
{
	auto_free char *own = shown_platform(e);

	return (digest && sha256_equal(&e->digest, digest)) || strcmp(own, text) == 0 ||
	       (platform && strcmp(own, platform) == 0);
}

/* The entry that a digest, a platform or an image of the store stands for; -1 none. */
static long cmd_manifest_find_entry(const struct work *w, const char *text, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_oci_platform struct oci_platform p = {0};
	struct digest digest;
	bool known = sha256_parse_string(text, &digest) == 0;
	auto_free char *platform =
		!known && oci_platform_parse(text, &p, NULL) == 0 ? oci_platform_text(&p) : NULL;
	auto_buf struct buf all;

	buf_init(&all, BUF_TEXT_MAX);
	auto_err struct err *why = NULL;
	if (!known && imageindex_resolve(w->s, text, &d, NULL, &why) >= 0) {
		digest = d.digest;
		known = true;
	}
	if (why && !err_is_verdict(why))
		return err_pass(err, &why);
	for (size_t i = 0; i < w->x.nmanifests; i++)
		if (is_entry(&w->x.manifests[i], text, platform, known ? &digest : NULL))
			return (long)i;
	for (size_t i = 0; i < w->x.nmanifests; i++) {
		auto_free char *own = shown_platform(&w->x.manifests[i]);
		buf_addf(&all, "%s%s", i ? ", " : "", own);
	}
	err_set(err, ERR_NOT_FOUND, "%s has no entry for %s", w->name, text);
	return err_hint(err, all.len ? "it has %s" : "it is empty%s", all.data);
}

static int run_remove(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	auto_work struct work w = {.lock = -1};

	(void)opts;
	if (work_open_existing(&w, c, operands->v[0], err) < 0)
		return -1;
	for (size_t i = 1; i < operands->n; i++) {
		long at = cmd_manifest_find_entry(&w, operands->v[i], err);

		if (at < 0)
			return -1;
		remove_at(&w, (size_t)at);
	}
	return work_save(&w, err);
}

static const struct cli_command cli_manifest_remove = {
	.name = "manifest remove",
	.operands = "NAME ENTRY...",
	.summary = "Take images out of an index",
	.details = "ENTRY is a platform, the digest of a manifest, or an image of the store.\n",
	.min_operands = 2,
	.max_operands = MANIFEST_IMAGES_MAX,
	.run = run_remove,
};

static int change_platform(struct work *w, size_t at, const char *text, struct err **err)
{
	auto_oci_platform struct oci_platform p = {0};
	struct oci_descriptor *e = &w->x.manifests[at];

	if (!text)
		return 0;
	if (cmd_manifest_take_platform(text, &p, err) < 0)
		return -1;
	oci_platform_clear(&e->platform);
	oci_platform_copy(&e->platform, &p);
	e->has_platform = true;
	for (size_t i = 0; i < w->x.nmanifests; i++)
		if (i != at && same_platform(&w->x.manifests[i], e))
			return err_set(
				err, ERR_USAGE, "%s has another image for %s", w->name, text);
	return 0;
}

static int run_annotate(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct entry_opts *o = opts;
	const char *entry = operands->n > 1 ? operands->v[1] : NULL;
	auto_work struct work w = {.lock = -1};
	auto_strlist struct strlist given = {0};

	if (cmd_manifest_take_annotations(
		    &o->annotations, entry ? "manifest-descriptor" : "index", &given, err) < 0)
		return -1;
	if (!entry && o->platform) {
		err_set(err, ERR_USAGE, "--platform: of which entry?");
		return err_hint(err, "bld manifest annotate --platform %s %s ENTRY", o->platform,
			operands->v[0]);
	}
	if (work_open_existing(&w, c, operands->v[0], err) < 0)
		return -1;
	if (!entry) {
		annotate(&w.x, &given);
		return work_save(&w, err);
	}
	long at = cmd_manifest_find_entry(&w, entry, err);
	if (at < 0 || change_platform(&w, (size_t)at, o->platform, err) < 0)
		return -1;
	struct oci_descriptor *e = &w.x.manifests[at];
	annotation_select(&given, ANNOTATION_MANIFEST_DESCRIPTOR, &e->platform, &e->annotations);
	return work_save(&w, err);
}

static const struct cli_option annotate_options[] = {
	ENTRY_OPTIONS,
	{0},
};

static const struct cli_command cli_manifest_annotate = {
	.name = "manifest annotate",
	.operands = "NAME [ENTRY]",
	.summary = "Annotate an index or one of its entries",
	.details = "ENTRY is a platform, the digest of a manifest, or an image of the store.\n"
		   "Without it the index is annotated.\n",
	.options = annotate_options,
	.opts_size = sizeof(struct entry_opts),
	.min_operands = 1,
	.max_operands = 2,
	.run = run_annotate,
};

/* --- the group ------------------------------------------------------------------------------ */

static const struct cli_command *const members[] = {&cli_manifest_create, &cli_manifest_add,
	&cli_manifest_remove, &cli_manifest_annotate, &cli_manifest_inspect, NULL};

const struct cli_command cli_manifest = {
	.name = "manifest",
	.operands = "COMMAND",
	.summary = "Make and show indexes: images of several platforms under one name",
	.min_operands = 1,
	.max_operands = (size_t)-1,
	.missing = "create, add, remove, annotate or inspect",
	.stop_at_operand = true,
	.members = members,
};
