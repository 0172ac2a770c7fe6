// SPDX-License-Identifier: Apache-2.0
#include "store/transport/oci_layout.h"

#include <stdio.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

struct layout {
	struct transport t; /* first */
	const struct oci_layout_ops *ops;
	void *ctx;
	bool whole;           /* the index itself stands for the image */
	struct digest digest; /* else: this */
};

static void close_file(struct oci_layout_file *f)
{
	if (f->close && f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* A small file as text. */
static int read_file(
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
	close_file(&f);
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
		return read_file(l, "index.json", OCI_MANIFEST_MAX, body, err);
	if (!want)
		want = &l->digest;
	blob_name(want, name);
	if (read_file(l, name, OCI_MANIFEST_MAX, body, err) < 0)
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
	close_file(&f);
	return rc;
}

static void layout_close(struct transport *t)
{
	struct layout *l = (struct layout *)t;

	l->ops->free(l->ctx);
	free(l);
}

static int several(struct layout *l, const struct oci_index *x, const char *name, struct err **err)
{
	auto_buf struct buf list;

	buf_init(&list, 8192);
	for (size_t i = 0; i < x->nmanifests && list.len < 2000; i++) {
		const char *n = strlist_get_kv(&x->manifests[i].annotations, OCI_REF_NAME);
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

static int choose(struct layout *l, const char *name, struct err **err)
{
	auto_buf struct buf text;
	auto_oci_index struct oci_index x = {0};
	size_t named = 0;

	buf_init(&text, OCI_LAYOUT_INDEX_MAX);
	if (name && *name == '@' && sha256_parse_string(name + 1, &l->digest) == 0)
		return 0;
	if (read_file(l, "index.json", OCI_LAYOUT_INDEX_MAX, &text, err) < 0)
		return -1;
	if (oci_index_parse(text.data, text.len, OCI_MEDIA_INDEX, &x, err) < 0)
		return err_prefix(err, "%s", l->t.label);
	for (size_t i = 0; i < x.nmanifests; i++) {
		const char *n = strlist_get_kv(&x.manifests[i].annotations, OCI_REF_NAME);

		named += n != NULL;
		if ((name && n && transport_same_name(name, n)) || (!name && x.nmanifests == 1)) {
			l->digest = x.manifests[i].digest;
			if (n)
				strlist_add(&l->t.names, n);
			return 0;
		}
	}
	l->whole = !name && named == 0 && x.nmanifests > 1 && text.len <= OCI_MANIFEST_MAX;
	return l->whole ? 0 : several(l, &x, name, err);
}

struct transport *oci_layout_open(const struct oci_layout_ops *ops, void *take_ctx,
	char *take_label, const char *name, struct err **err)
{
	static const struct transport_ops mine = {layout_manifest, layout_blob, layout_close};
	struct layout *l = mem_alloc(sizeof *l);

	transport_init(&l->t, &mine, take_label);
	l->ops = ops;
	l->ctx = take_ctx;
	if (choose(l, name, err) < 0) {
		transport_close(&l->t);
		return NULL;
	}
	return &l->t;
}

char *oci_layout_index(const char *old, size_t old_len, const struct oci_descriptor *manifest,
	const char *name, size_t *len, struct err **err)
{
	auto_oci_index struct oci_index in = {0};
	struct oci_index out = {0};
	char *text;
	size_t n = 0;

	if (old && oci_index_parse(old, old_len, OCI_MEDIA_INDEX, &in, err) < 0) {
		err_prefix(err, "index.json");
		return NULL;
	}
	out.media_type = mem_strdup(OCI_MEDIA_INDEX);
	strlist_copy(&out.annotations, &in.annotations);
	out.manifests = mem_array(in.nmanifests + 1, sizeof *out.manifests);
	for (size_t i = 0; i < in.nmanifests; i++) {
		const char *have = strlist_get_kv(&in.manifests[i].annotations, OCI_REF_NAME);
		if ((have && name && strcmp(have, name) == 0) || (!have && !name))
			continue;
		out.manifests[n] = (struct oci_descriptor){0};
		oci_descriptor_copy(&out.manifests[n++], &in.manifests[i]);
	}
	out.manifests[n] = (struct oci_descriptor){0};
	oci_descriptor_copy(&out.manifests[n], manifest);
	strlist_unset_kv(&out.manifests[n].annotations, OCI_REF_NAME);
	if (name)
		strlist_set_kv(&out.manifests[n].annotations, OCI_REF_NAME, name);
	out.nmanifests = n + 1;
	text = oci_index_dump(&out, len);
	oci_index_clear(&out);
	return text;
}
