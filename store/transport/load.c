// SPDX-License-Identifier: Apache-2.0
/*
 * Archives as `bld load` reads them: every image in them, under every name. Images are loaded one
 * after the other, each whole before its names are given to it, so that a failure leaves what came
 * before it usable. Names and numbers of everything come from outside and are bounded here.
 */
#include "store/transport/load.h"

#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/digestset.h"
#include "store/oci/oci.h"
#include "store/reference.h"
#include "store/tags.h"
#include "store/transport/bundle.h"
#include "store/transport/pull.h"

#define NAMES_MAX 1000 /* of one image */

/* --- names ---------------------------------------------------------------------------------- */

static void note_bad_name(struct progress *p, const struct transport *t, const char *name, size_t n)
{
	auto_free char *shown = fs_printable(name);
	auto_free char *more = n > 1 ? mem_printf(" and %zu more", n - 1) : mem_strdup("");
	auto_free char *text =
		mem_printf("%s: \"%.100s\"%s in it: not the name of an image, left out", t->label,
			shown, more);

	progress_emit(p, TRANSFER_NOTE, NULL, 0, 0, text);
}

/* The names inside that are valid ones. A digest in a name may be wrong: it names nothing here. */
static int names_inside(
	const struct transport *t, struct progress *p, struct strlist *out, struct err **err)
{
	const char *bad = NULL;
	size_t nbad = 0;

	if (t->names.n > NAMES_MAX)
		return err_set(err, ERR_LIMIT, "%s: %zu names for one image, the limit is %d",
			t->label, t->names.n, NAMES_MAX);
	for (size_t i = 0; i < t->names.n; i++) {
		auto_reference struct reference r = {0};
		auto_free char *full = NULL;

		if (reference_parse(t->names.v[i], &r, NULL) < 0 || r.has_digest) {
			bad = t->names.v[i];
			nbad++;
			continue;
		}
		full = reference_text(&r);
		strlist_add_once(out, full);
	}
	if (bad)
		note_bad_name(p, t, bad, nbad);
	return 0;
}

static int names_for(const struct transport *t, struct progress *p, const char *name,
	struct strlist *out, struct err **err)
{
	auto_reference struct reference r = {0};

	if (!name)
		return names_inside(t, p, out, err);
	if (!*name)
		return 0;
	if (reference_parse(name, &r, err) < 0)
		return -1;
	strlist_add_take(out, reference_text(&r));
	return 0;
}

int load_tag(struct store *s, const struct transport *t, struct progress *p, const char *name,
	const struct oci_descriptor *d, struct strlist *given, struct err **err)
{
	auto_strlist struct strlist names = {0};
	auto_free const char **v = NULL;

	if (names_for(t, p, name, &names, err) < 0)
		return -1;
	v = mem_array(names.n + 1, sizeof *v);
	for (size_t i = 0; i < names.n; i++)
		v[i] = names.v[i];
	if (names.n && tags_set(s, v, names.n, d, err) < 0)
		return -1;
	for (size_t i = 0; given && i < names.n; i++)
		strlist_add_once(given, names.v[i]);
	return 0;
}

/* --- images --------------------------------------------------------------------------------- */

/* Everything below one document. */
struct tree {
	struct store *s;
	struct transport *t;
	struct progress *p;
	struct digestset seen;
};

enum { LOADED, LEFT_OUT };

static int load_document(struct tree *w, const struct digest *at, int depth,
	struct oci_descriptor *d, struct err **err);

/* 1: new. An index may name one manifest many times, or hold many indexes. */
static int first_seen(struct tree *w, const struct digest *d, struct err **err)
{
	size_t n = w->seen.n;

	digestset_add_new(&w->seen, d);
	if (w->seen.n > TRANSPORT_IMAGES_MAX)
		return err_set(err, ERR_LIMIT, "%s: more than %d manifests below one name",
			w->t->label, TRANSPORT_IMAGES_MAX);
	return w->seen.n > n;
}

/* An entry of an index: LOADED; LEFT_OUT when it is no image or, as in a part of an index that
 * somebody saved, not there. */
static int load_entry(
	struct tree *w, const struct oci_descriptor *entry, int depth, struct err **err)
{
	auto_err struct err *e = NULL;
	struct oci_descriptor d = {0};
	int rc;

	if (!oci_index_is_image(entry))
		return LEFT_OUT;
	rc = first_seen(w, &entry->digest, err);
	if (rc <= 0)
		return rc < 0 ? -1 : LEFT_OUT;
	rc = load_document(w, &entry->digest, depth, &d, &e);
	oci_descriptor_clear(&d);
	if (rc >= 0)
		return rc;
	return err_get_kind(e) == ERR_NOT_FOUND ? LEFT_OUT : err_pass(err, &e);
}

static int load_index(struct tree *w, const struct buf *body, const char *type, int depth,
	struct oci_descriptor *d, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	size_t n = 0;

	if (depth >= PULL_INDEX_DEPTH)
		return err_set(err, ERR_CORRUPT, "%s: indexes nested deeper than %d", w->t->label,
			PULL_INDEX_DEPTH);
	if (oci_index_parse(body->data, body->len, type, &x, err) < 0)
		return err_prefix(err, "%s", w->t->label);
	for (size_t i = 0; i < x.nmanifests; i++) {
		int rc = progress_check(w->p, err) < 0
				 ? -1
				 : load_entry(w, &x.manifests[i], depth + 1, err);

		if (rc < 0)
			return -1;
		n += rc == LOADED;
	}
	if (n == 0)
		return err_set(
			err, ERR_NOT_FOUND, "%s: the index, but none of its images", w->t->label);
	if (blob_put(w->s, body->data, body->len, &d->digest, err) < 0)
		return -1;
	d->size = body->len;
	d->media_type = mem_strdup(x.media_type ? x.media_type : OCI_MEDIA_INDEX);
	return LOADED;
}

/* Charts, signatures and their like have manifests, too. */
static int is_artifact(
	const struct tree *w, const struct buf *body, const char *type, struct err **err)
{
	auto_oci_manifest struct oci_manifest m = {0};

	if (oci_manifest_parse(body->data, body->len, type, &m, err) < 0)
		return err_prefix(err, "%s", w->t->label);
	if (strcmp(m.config.media_type, OCI_MEDIA_CONFIG) == 0 ||
		strcmp(m.config.media_type, OCI_MEDIA_DOCKER_CONFIG) == 0)
		return 0;
	auto_free char *shown = fs_printable(m.config.media_type);
	auto_free char *text =
		mem_printf("%s: what has a configuration of type %s is no image, left out",
			w->t->label, shown);
	progress_emit(w->p, TRANSFER_NOTE, NULL, 0, 0, text);
	return 1;
}

/* at: NULL = what is selected. */
static int load_document(struct tree *w, const struct digest *at, int depth,
	struct oci_descriptor *d, struct err **err)
{
	auto_free char *type = NULL;
	auto_buf struct buf body;

	buf_init(&body, OCI_MANIFEST_MAX);
	if (w->t->ops->manifest(w->t, at, &body, &type, err) < 0)
		return -1;
	int index = oci_is_index(body.data, body.len, type, err);
	if (index < 0)
		return err_prefix(err, "%s", w->t->label);
	if (index && !w->p->o->platform)
		return load_index(w, &body, type, depth, d, err);
	int artifact = index ? 0 : is_artifact(w, &body, type, err);
	if (artifact)
		return artifact < 0 ? -1 : LEFT_OUT;
	/* An image below an index, or the only one: no platform was asked for, whatever it has. */
	return pull_image(w->s, w->t, w->p, at, d, err) < 0 ? -1 : LOADED;
}

/* --- archives ------------------------------------------------------------------------------- */

struct transport *transport_open_all(struct store *s, const char *path, struct err **err)
{
	auto_free char *shown = fs_printable(path);
	struct bundle *b;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return transport_oci_dir_all(path, err);
	b = bundle_open(s, path, err);
	if (!b)
		return NULL;
	if (bundle_find(b, "manifest.json"))
		return transport_docker_archive_all(b, shown, err);
	if (bundle_find(b, "index.json"))
		return transport_oci_archive_all(b, shown, err);
	bundle_free(b);
	err_set(err, ERR_CORRUPT,
		"%s: no images in it: neither manifest.json (docker-archive) nor index.json "
		"(oci-archive)",
		shown);
	err_hint(err, "a root file system becomes an image with FROM scratch and ADD");
	return NULL;
}

static int load_one(struct store *s, struct transport *t, struct progress *p,
	struct strlist *loaded, struct err **err)
{
	struct tree w = {.s = s, .t = t, .p = p};
	auto_strlist struct strlist names = {0};
	struct oci_descriptor d = {0};
	char text[DIGEST_STRING];
	int rc = load_document(&w, NULL, 0, &d, err);

	digestset_clear(&w.seen);
	if (rc == LOADED && load_tag(s, t, p, NULL, &d, &names, err) < 0)
		rc = -1;
	if (rc == LOADED && names.n == 0)
		strlist_add(&names, sha256_string(&d.digest, text));
	for (size_t i = 0; rc == LOADED && i < names.n; i++)
		strlist_add_once(loaded, names.v[i]);
	oci_descriptor_clear(&d);
	return rc < 0 ? -1 : 0;
}

int load_archive(struct store *s, const char *path, struct progress *p, struct strlist *loaded,
	struct err **err)
{
	auto_transport struct transport *t = transport_open_all(s, path, err);

	if (!t)
		return -1;
	for (size_t i = 0; i < t->nimages; i++)
		if (progress_check(p, err) < 0 || t->ops->select(t, i, err) < 0 ||
			load_one(s, t, p, loaded, err) < 0)
			return -1;
	return loaded->n ? 0 : err_set(err, ERR_NOT_FOUND, "%s: no images in it", t->label);
}
