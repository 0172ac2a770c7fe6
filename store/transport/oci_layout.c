// SPDX-License-Identifier: Apache-2.0
/*
 * The OCI image layout, for a directory and for an archive of one: they differ in how a file is
 * opened, which the caller brings. What an entry is called is containerd's annotation first, if it
 * is a name, then the one of the specification. An index.json whose entries have no names can
 * itself be the image.
 */
#include "store/transport/oci_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "store/reference.h"

struct layout {
	struct transport t; /* first */
	const struct oci_layout_ops *ops;
	void *ctx;
	bool whole;           /* the index itself stands for the image */
	struct digest digest; /* else: this */
	/* opened for all: what index.json has, each once; owned */
	struct layout_image {
		struct digest digest;
		struct strlist names;
	} * images;
};

static void oci_layout_close_file(struct oci_layout_file *f)
{
	if (f->close && f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* A small file as text. */
static int oci_layout_read_file(
	struct layout *l, const char *name, size_t max, struct buf *out, struct err **err)
{
	struct oci_layout_file f = {.fd = -1};
	auto_free char *mem = NULL;
	int rc = 0;

	if (l->ops->open(l->ctx, name, &f, err) < 0)
		return -1;
	if (f.size > max) {
		rc = err_set(err, ERR_LIMIT, "%s: %s has %llu bytes, the limit is %zu", l->t.label,
			name, (unsigned long long)f.size, max);
	} else {
		mem = mem_alloc((size_t)f.size + 1);
		if (fs_pread_all(f.fd, mem, (size_t)f.size, f.off) < 0)
			rc = err_sys_kind(err, ERR_CONTEXT, "%s: %s", l->t.label, name);
		else
			buf_add(out, mem, (size_t)f.size);
	}
	oci_layout_close_file(&f);
	return rc;
}

static void blob_name(const struct digest *d, char out[DIGEST_STRING + 16])
{
	char hex[DIGEST_HEX];

	snprintf(out, DIGEST_STRING + 16, "blobs/sha256/%s", sha256_hex(d, hex));
}

static int layout_manifest(struct transport *t, const struct digest *want, struct buf *body,
	char **media_type, struct err **err)
{
	struct layout *l = (struct layout *)t;
	char name[DIGEST_STRING + 16];
	struct digest got;

	*media_type = NULL;
	if (!want && l->whole)
		return oci_layout_read_file(l, "index.json", OCI_MANIFEST_MAX, body, err);
	if (!want)
		want = &l->digest;
	blob_name(want, name);
	if (oci_layout_read_file(l, name, OCI_MANIFEST_MAX, body, err) < 0)
		return -1;
	sha256_of(body->data, body->len, &got);
	if (!sha256_equal(&got, want))
		return err_set(
			err, ERR_CORRUPT, "%s: %s does not have that digest", t->label, name);
	return 0;
}

static int layout_blob(struct transport *t, unsigned worker, const struct oci_descriptor *d,
	struct http_sink *sink, struct err **err)
{
	struct layout *l = (struct layout *)t;
	struct oci_layout_file f = {.fd = -1};
	char name[DIGEST_STRING + 16];
	int rc;

	(void)worker;
	blob_name(&d->digest, name);
	if (l->ops->open(l->ctx, name, &f, err) < 0)
		return -1;
	if (f.size != d->size)
		rc = err_set(err, ERR_CORRUPT, "%s: %s has %llu bytes, the manifest says %llu",
			t->label, name, (unsigned long long)f.size, (unsigned long long)d->size);
	else
		rc = transport_copy_file(f.fd, f.off, f.size, sink, err);
	oci_layout_close_file(&f);
	return rc;
}

static void layout_close(struct transport *t)
{
	struct layout *l = (struct layout *)t;

	for (size_t i = 0; l->images && i < l->t.nimages; i++)
		strlist_clear(&l->images[i].names);
	free(l->images);
	l->ops->free(l->ctx);
	free(l);
}

static bool is_name(const char *text)
{
	auto_reference struct reference r = {0};

	return reference_parse(text, &r, NULL) == 0;
}

/* What the entry is called; NULL when it has no name. */
static const char *entry_name(const struct oci_descriptor *d)
{
	const char *full = strlist_get_kv(&d->annotations, OCI_CONTAINERD_NAME);

	return full && is_name(full) ? full : strlist_get_kv(&d->annotations, OCI_REF_NAME);
}

static bool is_called(const struct oci_descriptor *d, const char *name)
{
	const char *full = entry_name(d), *ref = strlist_get_kv(&d->annotations, OCI_REF_NAME);

	return (full && transport_same_name(name, full)) || (ref && transport_same_name(name, ref));
}

static int oci_layout_several(
	struct layout *l, const struct oci_index *x, const char *name, struct err **err)
{
	auto_buf struct buf list;

	buf_init(&list, 8192);
	for (size_t i = 0; i < x->nmanifests && list.len < 2000; i++) {
		const char *n = entry_name(&x->manifests[i]);
		if (!n)
			continue;
		buf_adds(&list, list.len ? ", " : "");
		buf_add_escaped(&list, n, strlen(n), false);
	}
	if (name) {
		auto_free char *shown = fs_printable(name);
		err_set(err, ERR_NOT_FOUND, "%s: no image named %s", l->t.label, shown);
	} else {
		err_set(err, ERR_NOT_FOUND, "%s: %zu images, and none is named", l->t.label,
			x->nmanifests);
	}
	return list.len ? err_hint(err, "it has %s", list.data) : -1;
}

/* index.json, and how many bytes it has. */
static int oci_layout_read_index(
	struct layout *l, struct oci_index *x, size_t *len, struct err **err)
{
	auto_buf struct buf text;

	buf_init(&text, OCI_LAYOUT_INDEX_MAX);
	if (oci_layout_read_file(l, "index.json", OCI_LAYOUT_INDEX_MAX, &text, err) < 0)
		return -1;
	*len = text.len;
	return oci_index_parse(text.data, text.len, OCI_MEDIA_INDEX, x, err) < 0
		       ? err_prefix(err, "%s", l->t.label)
		       : 0;
}

static int oci_layout_choose(struct layout *l, const char *name, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	size_t named = 0, len;

	if (name && *name == '@' && sha256_parse_string(name + 1, &l->digest) == 0)
		return 0;
	if (oci_layout_read_index(l, &x, &len, err) < 0)
		return -1;
	for (size_t i = 0; i < x.nmanifests; i++) {
		const char *n = entry_name(&x.manifests[i]);

		named += n != NULL;
		if (name ? is_called(&x.manifests[i], name) : x.nmanifests == 1) {
			l->digest = x.manifests[i].digest;
			if (n)
				strlist_add(&l->t.names, n);
			return 0;
		}
	}
	l->whole = !name && named == 0 && x.nmanifests > 1 && len <= OCI_MANIFEST_MAX;
	return l->whole ? 0 : oci_layout_several(l, &x, name, err);
}

/* --- all of its images ---------------------------------------------------------------------- */

/* One image for several platforms, its index being index.json? Entries without name or platform
 * are images of their own. */
static bool is_one_index(const struct oci_index *x, size_t len)
{
	for (size_t i = 0; i < x->nmanifests; i++)
		if (entry_name(&x->manifests[i]) || !x->manifests[i].has_platform)
			return false;
	return x->nmanifests > 1 && len <= OCI_MANIFEST_MAX;
}

static struct layout_image *find_image(struct layout *l, const struct digest *d)
{
	for (size_t i = 0; i < l->t.nimages; i++)
		if (sha256_equal(&l->images[i].digest, d))
			return &l->images[i];
	return NULL;
}

static int list_images(struct layout *l, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	size_t len;

	if (oci_layout_read_index(l, &x, &len, err) < 0)
		return -1;
	l->whole = is_one_index(&x, len);
	l->images = mem_alloc((x.nmanifests + 1) * sizeof *l->images);
	if (l->whole)
		l->t.nimages = 1;
	for (size_t i = 0; !l->whole && i < x.nmanifests; i++) {
		const struct oci_descriptor *d = &x.manifests[i];
		struct layout_image *have = find_image(l, &d->digest);
		const char *name = entry_name(d);

		if (!have) {
			have = &l->images[l->t.nimages++];
			have->digest = d->digest;
		}
		if (name)
			strlist_add_once(&have->names, name);
	}
	return l->t.nimages > TRANSPORT_IMAGES_MAX
		       ? err_set(err, ERR_LIMIT, "%s: %zu images, the limit is %d", l->t.label,
				 l->t.nimages, TRANSPORT_IMAGES_MAX)
		       : 0;
}

static int layout_select(struct transport *t, size_t i, struct err **err)
{
	struct layout *l = (struct layout *)t;

	(void)err;
	l->digest = l->images[i].digest;
	strlist_copy(&t->names, &l->images[i].names);
	return 0;
}

static struct layout *new_layout(const struct oci_layout_ops *ops, void *take_ctx, char *take_label)
{
	static const struct transport_ops mine = {
		layout_manifest, layout_blob, layout_close, layout_select};
	struct layout *l = mem_alloc(sizeof *l);

	transport_init(&l->t, &mine, take_label);
	l->ops = ops;
	l->ctx = take_ctx;
	return l;
}

struct transport *oci_layout_open(const struct oci_layout_ops *ops, void *take_ctx,
	char *take_label, const char *name, struct err **err)
{
	struct layout *l = new_layout(ops, take_ctx, take_label);

	if (oci_layout_choose(l, name, err) == 0)
		return &l->t;
	transport_close(&l->t);
	return NULL;
}

struct transport *oci_layout_open_all(
	const struct oci_layout_ops *ops, void *take_ctx, char *take_label, struct err **err)
{
	struct layout *l = new_layout(ops, take_ctx, take_label);

	if (list_images(l, err) == 0)
		return &l->t;
	transport_close(&l->t);
	return NULL;
}

/* Does one of them take the entry's place? Equal names do, and having none. */
static bool is_replaced(const struct oci_descriptor *d, const struct outgoing_name *v, size_t n)
{
	const char *have = strlist_get_kv(&d->annotations, OCI_REF_NAME);

	for (size_t i = 0; i < n; i++)
		if (have && v[i].name ? strcmp(have, v[i].name) == 0 : !have && !v[i].name)
			return true;
	return false;
}

char *oci_layout_index(const char *old, size_t old_len, const struct outgoing_name *v, size_t n,
	size_t *len, struct err **err)
{
	auto_oci_index struct oci_index in = {0}, out = {0};

	if (old && oci_index_parse(old, old_len, OCI_MEDIA_INDEX, &in, err) < 0) {
		err_prefix(err, "index.json");
		return NULL;
	}
	out.media_type = mem_strdup(OCI_MEDIA_INDEX);
	strlist_copy(&out.annotations, &in.annotations);
	out.manifests = mem_alloc((in.nmanifests + n + 1) * sizeof *out.manifests);
	for (size_t i = 0; i < in.nmanifests; i++)
		if (!is_replaced(&in.manifests[i], v, n))
			oci_descriptor_copy(&out.manifests[out.nmanifests++], &in.manifests[i]);
	for (size_t i = 0; i < n; i++) {
		struct oci_descriptor *d = &out.manifests[out.nmanifests++];

		oci_descriptor_copy(d, v[i].d);
		strlist_unset_kv(&d->annotations, OCI_REF_NAME);
		if (v[i].name)
			strlist_set_kv(&d->annotations, OCI_REF_NAME, v[i].name);
	}
	return oci_index_dump(&out, len);
}
