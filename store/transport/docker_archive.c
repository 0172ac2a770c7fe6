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
#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/compress/compress.h"
#include "store/digestset.h"
#include "store/oci/layertype.h"
#include "store/oci/oci.h"
#include "store/reference.h"
#include "store/snapshot.h"
#include "store/transport/bundle.h"
#include "store/transport/outgoing.h"
#include "store/transport/outtar.h"
#include "store/transport/progress.h"
#include "store/transport/transport.h"

#define MANIFEST_JSON_MAX ((size_t)16 << 20)

/* --- reading ------------------------------------------------------------------------------ */

struct docker_archive {
	struct transport t; /* first */
	struct bundle *b;
	json_t *list; /* manifest.json; owned */
	/* of the image that is selected: */
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

static char *docker_archive_read_file(
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

static enum layer_compression sniff(const struct bundle_file *f)
{
	unsigned char b[LAYER_MAGIC_MAX];

	if (f->size < sizeof b || fs_pread_all(f->fd, b, sizeof b, f->off) != 0)
		return LAYER_PLAIN;
	return layer_compression_of(b, sizeof b);
}

static int describe_layer(
	struct docker_archive *a, size_t i, const struct digest *diff_id, struct err **err)
{
	struct oci_descriptor *d = &a->m.layers[i];
	enum layer_compression c = sniff(a->files[i]);

	d->media_type = mem_strdup(layertype_of(c)->oci);
	d->size = a->files[i]->size;
	d->digest = *diff_id;
	return c == LAYER_PLAIN ? 0 : bundle_digest(a->b, a->files[i], &d->digest, err);
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
	text = a->config ? docker_archive_read_file(a, a->config, OCI_CONFIG_MAX, err) : NULL;
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

static int docker_archive_several(
	struct docker_archive *a, json_t *list, const char *name, struct err **err)
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

static int read_list(struct docker_archive *a, struct err **err)
{
	const struct bundle_file *f = need_file(a, "manifest.json", err);
	auto_free char *text = f ? docker_archive_read_file(a, f, MANIFEST_JSON_MAX, err) : NULL;
	json_t *image;
	size_t i;

	if (!text)
		return -1;
	a->list = jsonx_load(text, (size_t)f->size, MANIFEST_JSON_MAX, "manifest.json", err);
	if (!a->list)
		return err_prefix(err, "%s", a->t.label);
	if (!json_is_array(a->list))
		return err_set(err, ERR_CORRUPT, "%s: manifest.json is not a list", a->t.label);
	json_array_foreach(a->list, i, image)
	{
		if (!json_is_object(image))
			return err_set(err, ERR_CORRUPT, "%s: manifest.json[%zu] is not an object",
				a->t.label, i);
	}
	return 0;
}

static int docker_archive_choose(struct docker_archive *a, const char *name, struct err **err)
{
	json_t *image;
	size_t i;

	if (read_list(a, err) < 0)
		return -1;
	json_array_foreach(a->list, i, image)
	{
		if (name ? has_tag(image, name) : json_array_size(a->list) == 1)
			return read_image(a, image, err);
	}
	return docker_archive_several(a, a->list, name, err);
}

static int docker_select(struct transport *t, size_t i, struct err **err)
{
	struct docker_archive *a = (struct docker_archive *)t;

	oci_manifest_clear(&a->m);
	a->m = (struct oci_manifest){0};
	free(a->files);
	a->files = NULL;
	a->config = NULL;
	strlist_clear(&t->names);
	return read_image(a, json_array_get(a->list, i), err);
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
	json_decref(a->list);
	free(a);
}

static struct docker_archive *new_archive(struct bundle *take_b, const char *shown)
{
	static const struct transport_ops ops = {
		docker_manifest, docker_blob, docker_close, docker_select};
	struct docker_archive *a = mem_alloc(sizeof *a);

	transport_init(&a->t, &ops, mem_printf("docker-archive:%s", shown));
	a->b = take_b;
	return a;
}

struct transport *transport_open_docker_archive(
	struct store *s, const char *path, const char *name, struct err **err)
{
	auto_free char *shown = fs_printable(path);
	struct bundle *b = bundle_open(s, path, err);
	struct docker_archive *a = b ? new_archive(b, shown) : NULL;

	if (a && docker_archive_choose(a, name, err) < 0) {
		transport_close(&a->t);
		return NULL;
	}
	return a ? &a->t : NULL;
}

struct transport *transport_docker_archive_all(
	struct bundle *take_b, const char *shown, struct err **err)
{
	struct docker_archive *a = new_archive(take_b, shown);
	int r = read_list(a, err);

	a->t.nimages = r < 0 ? 0 : json_array_size(a->list);
	if (a->t.nimages > TRANSPORT_IMAGES_MAX)
		r = err_set(err, ERR_LIMIT, "%s: %zu images, the limit is %d", a->t.label,
			a->t.nimages, TRANSPORT_IMAGES_MAX);
	if (r < 0) {
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

/* Files that are in the archive already: layers and configurations by digest. */
struct writing {
	struct store *s;
	struct progress *p;
	struct outtar *t;
	struct digestset have;
};

/* Is it new in the archive? It is there then. */
static bool is_new(struct writing *w, const struct digest *d)
{
	size_t n = w->have.n;

	digestset_add_new(&w->have, d);
	return w->have.n > n;
}

static int write_layers(
	struct writing *w, const struct oci_config *c, json_t *names, struct err **err)
{
	char name[DIGEST_HEX + 8];

	for (size_t i = 0; i < c->ndiff_ids; i++) {
		const struct digest *d = &c->diff_ids[i];
		uint64_t size;

		layer_name(d, name);
		json_array_append_new(names, json_string(name));
		if (!is_new(w, d))
			continue;
		auto_fd int fd = snapshot_tar(w->s, d, &size, err);
		if (fd < 0)
			return -1;
		progress_emit(w->p, TRANSFER_BLOB_START, d, 0, size, NULL);
		if (outtar_fd(w->t, name, fd, size, err) < 0)
			return -1;
		progress_emit(w->p, TRANSFER_BLOB_DONE, d, size, size, NULL);
	}
	return 0;
}

/* The name as Docker's file has it: repository:tag, no digest; none when there is none to give. */
static void add_repo_tag(json_t *image, const char *name)
{
	auto_reference struct reference r = {0};

	if (!name || reference_parse(name, &r, NULL) < 0 || !r.tag)
		return;
	auto_free char *repository = reference_name(&r);
	auto_free char *full = mem_printf("%s:%s", repository, r.tag);
	json_array_append_new(json_object_get(image, "RepoTags"), json_string(full));
}

/* The configuration and the layers of an image, and its element of manifest.json; borrowed. */
static json_t *docker_archive_write_image(
	struct writing *w, const struct image *image, json_t *list, struct err **err)
{
	const struct digest *config = &image->manifest.config.digest;
	auto_json json_t *names = json_array();
	char hex[DIGEST_HEX];
	size_t n;
	auto_free char *text = blob_read(w->s, config, OCI_CONFIG_MAX, &n, err);
	auto_free char *file = mem_printf("%s.json", sha256_hex(config, hex));
	json_t *element;

	if (!text || write_layers(w, &image->config, names, err) < 0)
		return NULL;
	if (is_new(w, config) && outtar_mem(w->t, file, text, n, err) < 0)
		return NULL;
	element = json_pack("{s:s, s:[], s:O}", "Config", file, "RepoTags", "Layers", names);
	json_array_append_new(list, element);
	return element;
}

/* The element of an image that came before; NULL. */
static json_t *find_element(json_t *list, const struct image *image)
{
	char hex[DIGEST_HEX];
	auto_free char *file =
		mem_printf("%s.json", sha256_hex(&image->manifest.config.digest, hex));
	json_t *element;
	size_t i;

	json_array_foreach(list, i, element)
	{
		const char *config = json_string_value(json_object_get(element, "Config"));

		if (strcmp(config, file) == 0)
			return element;
	}
	return NULL;
}

static int write_all(struct writing *w, const struct docker_image *v, size_t n, struct err **err)
{
	auto_json json_t *list = json_array();
	size_t len;

	for (size_t i = 0; i < n; i++) {
		json_t *element = find_element(list, v[i].image);

		if (!element)
			element = docker_archive_write_image(w, v[i].image, list, err);
		if (!element)
			return -1;
		add_repo_tag(element, v[i].name);
	}
	auto_free char *manifest = jsonx_dump(list, &len);
	return outtar_mem(w->t, "manifest.json", manifest, len, err);
}

int transport_to_docker_archive(struct store *s, struct progress *p, const struct docker_image *v,
	size_t n, const char *path, struct err **err)
{
	struct writing w = {.s = s, .p = p};
	int r = -1;

	for (size_t i = 0; i < n; i++) {
		auto_reference struct reference check = {0};

		if (v[i].name && reference_parse(v[i].name, &check, err) < 0)
			return -1;
	}
	w.t = outtar_open(path, p, err);
	if (w.t && write_all(&w, v, n, err) == 0)
		r = outtar_commit(w.t, err);
	outtar_free(w.t);
	digestset_clear(&w.have);
	return r;
}
