// SPDX-License-Identifier: Apache-2.0
/*
 * docker-archive:FILE[:NAME], what `docker save` writes and `docker load` reads: manifest.json, a
 * list of images, each with Config (a file), RepoTags and Layers (files: tars, seen compressed
 * too). Older and newer layouts have more files (VERSION, json, repositories, an OCI layout);
 * manifest.json is in all of them and is all that is looked at.
 *
 * For reading, an OCI manifest is made: the digest of a plain layer is its diff ID, which the
 * configuration states and the pull verifies; only compressed ones are hashed for it.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/reference.h"
#include "store/snapshot.h"
#include "store/transport/bundle.h"
#include "store/transport/outgoing.h"
#include "store/transport/outtar.h"
#include "store/transport/transport.h"

#define MANIFEST_JSON_MAX ((size_t)16 << 20)

/* --- reading ------------------------------------------------------------------------------ */

struct docker_archive {
	struct transport t; /* first */
	struct bundle *b;
	struct oci_manifest m;
	const struct bundle_file **files; /* of layer i */
	const struct bundle_file *config;
};

static const struct bundle_file *need_file(
	struct docker_archive *a, const char *name, struct err **err)
{
	const struct bundle_file *f = bundle_find(a->b, name);
	auto_free char *shown = NULL;

	if (f)
		return f;
	shown = fs_printable(name);
	err_set(err, ERR_CORRUPT, "%s: no %s in the archive", a->t.label, shown);
	return NULL;
}

static char *read_file(
	struct docker_archive *a, const struct bundle_file *f, size_t max, struct err **err)
{
	auto_free char *text = NULL;

	if (f->size > max) {
		err_set(err, ERR_LIMIT, "%s: %s has %llu bytes, the limit is %zu", a->t.label,
			f->name, (unsigned long long)f->size, max);
		return NULL;
	}
	text = mem_alloc((size_t)f->size + 1);
	if (fs_pread_all(f->fd, text, (size_t)f->size, f->off) < 0) {
		err_sys_kind(err, ERR_CONTEXT, "%s", a->t.label);
		return NULL;
	}
	return TAKE(text);
}

static int hash_file(const struct bundle_file *f, struct digest *out, struct err **err)
{
	auto_free char *piece = mem_grow(NULL, (size_t)1 << 18, 1);
	struct sha256 h;

	sha256_init(&h);
	for (uint64_t at = 0; at < f->size;) {
		size_t n =
			f->size - at < (uint64_t)1 << 18 ? (size_t)(f->size - at) : (size_t)1 << 18;

		if (fs_pread_all(f->fd, piece, n, f->off + at) < 0)
			return err_sys_kind(err, ERR_CONTEXT, "reading a layer");
		sha256_update(&h, piece, n);
		at += n;
	}
	sha256_final(&h, out);
	return 0;
}

static enum layer_compression sniff(const struct bundle_file *f)
{
	static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	unsigned char b[4] = {0};

	if (f->size >= 4 && fs_pread_all(f->fd, b, 4, f->off) == 0) {
		if (b[0] == 0x1f && b[1] == 0x8b)
			return LAYER_GZIP;
		if (memcmp(b, zstd, 4) == 0)
			return LAYER_ZSTD;
	}
	return LAYER_PLAIN;
}

static int describe_layer(
	struct docker_archive *a, size_t i, const struct digest *diff_id, struct err **err)
{
	static const char *const types[] = {[LAYER_PLAIN] = OCI_MEDIA_LAYER,
		[LAYER_GZIP] = OCI_MEDIA_LAYER_GZIP,
		[LAYER_ZSTD] = OCI_MEDIA_LAYER_ZSTD};
	struct oci_descriptor *d = &a->m.layers[i];
	enum layer_compression c = sniff(a->files[i]);

	d->media_type = mem_strdup(types[c]);
	d->size = a->files[i]->size;
	d->digest = *diff_id;
	return c == LAYER_PLAIN ? 0 : hash_file(a->files[i], &d->digest, err);
}

/* One image of the list as a manifest. */
static int read_image(struct docker_archive *a, json_t *image, struct err **err)
{
	auto_strlist struct strlist layers = {0};
	auto_oci_config struct oci_config c = {0};
	auto_free char *text = NULL;
	const char *config;

	oci_config_init(&c);
	if (jsonx_string(image, "Config", true, "manifest.json", &config, err) < 0 ||
		jsonx_strlist(image, "Layers", "manifest.json", &layers, err) < 0)
		return -1;
	a->config = need_file(a, config, err);
	text = a->config ? read_file(a, a->config, OCI_CONFIG_MAX, err) : NULL;
	if (!text || oci_config_parse(text, (size_t)a->config->size, &c, err) < 0)
		return -1;
	if (layers.n != c.ndiff_ids || layers.n > OCI_LAYERS_MAX)
		return err_set(err, ERR_CORRUPT,
			"%s: %zu layers, but %zu diff IDs in the configuration", a->t.label,
			layers.n, c.ndiff_ids);
	a->m.media_type = mem_strdup(OCI_MEDIA_MANIFEST);
	a->m.config.media_type = mem_strdup(OCI_MEDIA_CONFIG);
	a->m.config.size = a->config->size;
	sha256_of(text, (size_t)a->config->size, &a->m.config.digest);
	a->m.layers = mem_array(layers.n + 1, sizeof *a->m.layers);
	memset(a->m.layers, 0, (layers.n + 1) * sizeof *a->m.layers);
	a->files = mem_array(layers.n + 1, sizeof *a->files);
	a->m.nlayers = layers.n;
	for (size_t i = 0; i < layers.n; i++) {
		a->files[i] = need_file(a, layers.v[i], err);
		if (!a->files[i] || describe_layer(a, i, &c.diff_ids[i], err) < 0)
			return -1;
	}
	return jsonx_strlist(image, "RepoTags", "manifest.json", &a->t.names, err);
}

static bool has_tag(json_t *image, const char *name)
{
	json_t *tags = json_object_get(image, "RepoTags"), *tag;
	size_t i;

	json_array_foreach(
		tags, i, tag) if (json_is_string(tag) &&
				  transport_same_name(json_string_value(tag), name)) return true;
	return false;
}

static int several(struct docker_archive *a, json_t *list, const char *name, struct err **err)
{
	auto_buf struct buf names;
	auto_free char *shown = name ? fs_printable(name) : NULL;
	json_t *image, *tag;
	size_t i, k;

	buf_init(&names, 8192);
	json_array_foreach(list, i, image)
	{
		json_array_foreach(json_object_get(image, "RepoTags"), k, tag)
		{
			if (!json_is_string(tag) || names.len > 2000)
				continue;
			buf_adds(&names, names.len ? ", " : "");
			buf_add_escaped(
				&names, json_string_value(tag), json_string_length(tag), false);
		}
	}
	if (name)
		err_set(err, ERR_NOT_FOUND, "%s: no image named %s", a->t.label, shown);
	else
		err_set(err, ERR_NOT_FOUND, "%s: %zu images, and none is named", a->t.label,
			json_array_size(list));
	return names.len ? err_hint(err, "it has %s", names.data) : -1;
}

static int choose(struct docker_archive *a, const char *name, struct err **err)
{
	const struct bundle_file *f = need_file(a, "manifest.json", err);
	auto_free char *text = f ? read_file(a, f, MANIFEST_JSON_MAX, err) : NULL;
	auto_json json_t *list = NULL;
	json_t *image;
	size_t i;

	if (!text)
		return -1;
	list = jsonx_load(text, (size_t)f->size, MANIFEST_JSON_MAX, "manifest.json", err);
	if (!list)
		return err_prefix(err, "%s", a->t.label);
	if (!json_is_array(list))
		return err_set(err, ERR_CORRUPT, "%s: manifest.json is not a list", a->t.label);
	json_array_foreach(list, i, image)
	{
		if (!json_is_object(image))
			return err_set(err, ERR_CORRUPT, "%s: manifest.json[%zu] is not an object",
				a->t.label, i);
		if (name ? has_tag(image, name) : json_array_size(list) == 1)
			return read_image(a, image, err);
	}
	return several(a, list, name, err);
}

static int docker_manifest(struct transport *t, const struct digest *want, struct buf *body,
	char **media_type, struct err **err)
{
	struct docker_archive *a = (struct docker_archive *)t;
	size_t len;
	auto_free char *text = oci_manifest_dump(&a->m, &len);

	if (want)
		return err_set(err, ERR_NOT_FOUND, "%s: has no manifests", t->label);
	*media_type = mem_strdup(OCI_MEDIA_MANIFEST);
	return buf_add(body, text, len) < 0
		       ? err_set(err, ERR_LIMIT, "%s: too many layers", t->label)
		       : 0;
}

static int docker_blob(struct transport *t, unsigned worker, const struct oci_descriptor *d,
	struct http_sink *sink, struct err **err)
{
	struct docker_archive *a = (struct docker_archive *)t;
	const struct bundle_file *f =
		sha256_equal(&d->digest, &a->m.config.digest) ? a->config : NULL;

	(void)worker;
	for (size_t i = 0; !f && i < a->m.nlayers; i++)
		if (sha256_equal(&a->m.layers[i].digest, &d->digest))
			f = a->files[i];
	if (!f)
		return err_set(err, ERR_NOT_FOUND, "%s: no such layer", t->label);
	return transport_copy_file(f->fd, f->off, f->size, sink, err);
}

static void docker_close(struct transport *t)
{
	struct docker_archive *a = (struct docker_archive *)t;

	bundle_free(a->b);
	oci_manifest_clear(&a->m);
	free(a->files);
	free(a);
}

struct transport *transport_open_docker_archive(
	struct store *s, const char *path, const char *name, struct err **err)
{
	static const struct transport_ops ops = {docker_manifest, docker_blob, docker_close};
	auto_free char *shown = fs_printable(path);
	struct bundle *b = bundle_open(s, path, err);
	struct docker_archive *a;

	if (!b)
		return NULL;
	a = mem_alloc(sizeof *a);
	transport_init(&a->t, &ops, mem_printf("docker-archive:%s", shown));
	a->b = b;
	if (choose(a, name, err) < 0) {
		transport_close(&a->t);
		return NULL;
	}
	return &a->t;
}

/* --- writing ------------------------------------------------------------------------------ */

static void layer_name(const struct digest *d, char out[DIGEST_HEX + 8])
{
	char hex[DIGEST_HEX];
	snprintf(out, DIGEST_HEX + 8, "%s.tar", sha256_hex(d, hex));
}

static int write_layers(struct outgoing *o, struct outtar *t, json_t *names, struct err **err)
{
	const struct oci_config *c = &o->image->config;
	char name[DIGEST_HEX + 8];

	for (size_t i = 0; i < c->ndiff_ids; i++) {
		const struct digest *d = &c->diff_ids[i];
		bool seen = false;
		uint64_t size;

		layer_name(d, name);
		json_array_append_new(names, json_string(name));
		for (size_t k = 0; k < i && !seen; k++)
			seen = sha256_equal(d, &c->diff_ids[k]);
		if (seen)
			continue;
		auto_fd int fd = snapshot_tar(o->s, d, &size, err);
		if (fd < 0)
			return -1;
		progress_emit(o->p, TRANSFER_BLOB_START, d, 0, size, NULL);
		if (outtar_fd(t, name, fd, size, err) < 0)
			return -1;
		progress_emit(o->p, TRANSFER_BLOB_DONE, d, size, size, NULL);
	}
	return 0;
}

/* The name as Docker's file has it: repository:tag, no digest. NULL when there is none to give. */
static json_t *repo_tags(const char *name)
{
	json_t *tags = json_array();
	auto_reference struct reference r = {0};

	if (name && reference_parse(name, &r, NULL) == 0 && r.tag) {
		auto_free char *repository = reference_name(&r);
		auto_free char *full = mem_printf("%s:%s", repository, r.tag);
		json_array_append_new(tags, json_string(full));
	}
	return tags;
}

int transport_to_docker_archive(
	struct outgoing *o, const char *path, const char *name, struct err **err)
{
	auto_outtar struct outtar *t = NULL;
	const struct digest *config = &o->image->manifest.config.digest;
	auto_json json_t *names = json_array();
	auto_json json_t *doc = NULL;
	auto_free char *text = NULL, *file = NULL, *manifest = NULL;
	char hex[DIGEST_HEX];
	size_t n, len;
	auto_reference struct reference check = {0};

	if (name && reference_parse(name, &check, err) < 0)
		return -1;
	text = blob_read(o->s, config, OCI_CONFIG_MAX, &n, err);
	t = text ? outtar_open(path, o->p, err) : NULL;
	if (!t || write_layers(o, t, names, err) < 0)
		return -1;
	file = mem_printf("%s.json", sha256_hex(config, hex));
	doc = json_pack("[{s:s, s:o, s:O}]", "Config", file, "RepoTags",
		repo_tags(name ? name : o->image->name), "Layers", names);
	manifest = jsonx_dump(doc, &len);
	if (outtar_mem(t, file, text, n, err) < 0 ||
		outtar_mem(t, "manifest.json", manifest, len, err) < 0)
		return -1;
	o->d.digest = o->image->manifest_digest;
	return outtar_commit(t, err);
}
