// SPDX-License-Identifier: Apache-2.0
/*
 * Manifests (image-spec manifest.md), and the choice between manifest and index, which has to be
 * unambiguous: a document that could be read as both would mean different images to different
 * readers (CVE-2021-41190).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/oci/layertype.h"
#include "store/oci/oci.h"
#include "store/oci/oci_private.h"

enum doc_class { DOC_UNKNOWN, DOC_MANIFEST, DOC_INDEX };

/* Parameters ("; charset=utf-8") say nothing here. */
static enum doc_class manifest_class_of(const char *type)
{
	static const struct {
		const char *type;
		enum doc_class class;
	} known[] = {
		{OCI_MEDIA_MANIFEST, DOC_MANIFEST},
		{OCI_MEDIA_DOCKER_MANIFEST, DOC_MANIFEST},
		{OCI_MEDIA_INDEX, DOC_INDEX},
		{OCI_MEDIA_DOCKER_LIST, DOC_INDEX},
	};
	size_t n = type ? strcspn(type, "; ") : 0;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (n == strlen(known[i].type) && strncasecmp(type, known[i].type, n) == 0)
			return known[i].class;
	return DOC_UNKNOWN;
}

static bool there(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return v && !json_is_null(v);
}

/* What the document is by its members; DOC_UNKNOWN with *err when that is unclear. */
static enum doc_class class_by_body(json_t *o, struct err **err)
{
	bool index = there(o, "manifests");
	bool manifest = there(o, "config") || there(o, "layers");

	if (index && manifest)
		err_set(err, ERR_CORRUPT, "both a manifest and an index");
	else if (there(o, "fsLayers") || there(o, "signatures"))
		err_set(err, ERR_UNSUPPORTED, "a manifest of the old schema 1");
	else if (!index && !manifest)
		err_set(err, ERR_CORRUPT, "neither a manifest nor an index");
	else
		return index ? DOC_INDEX : DOC_MANIFEST;
	return DOC_UNKNOWN;
}

/* Body, media type inside and media type outside must say the same. */
static enum doc_class manifest_classify(
	json_t *o, const char *outer, const char **inner, struct err **err)
{
	enum doc_class body = class_by_body(o, err);

	if (body == DOC_UNKNOWN || jsonx_string(o, "mediaType", false, "", inner, err) < 0)
		return DOC_UNKNOWN;
	enum doc_class in = manifest_class_of(*inner), out = manifest_class_of(outer);
	if (in != DOC_UNKNOWN && out != DOC_UNKNOWN &&
		strncasecmp(*inner, outer, strcspn(outer, "; ")) != 0) {
		err_set(err, ERR_CORRUPT, "mediaType %s in a document that came as %.*s", *inner,
			(int)strcspn(outer, "; "), outer);
		return DOC_UNKNOWN;
	}
	if ((in != DOC_UNKNOWN && in != body) || (out != DOC_UNKNOWN && out != body)) {
		err_set(err, ERR_CORRUPT, "the media type says %s, the content is %s",
			body == DOC_INDEX ? "manifest" : "index",
			body == DOC_INDEX ? "an index" : "a manifest");
		return DOC_UNKNOWN;
	}
	return body;
}

static json_t *manifest_load(const char *p, size_t n, struct err **err)
{
	json_t *o = jsonx_load(p, n, OCI_MANIFEST_MAX, "manifest", err);

	if (o && !json_is_object(o)) {
		json_decref(o);
		err_set(err, ERR_CORRUPT, "manifest: expected object");
		return NULL;
	}
	return o;
}

int oci_is_index(const char *p, size_t n, const char *media_type, struct err **err)
{
	const char *inner;
	auto_json json_t *o = manifest_load(p, n, err);
	enum doc_class class = o ? manifest_classify(o, media_type, &inner, err) : DOC_UNKNOWN;

	return class == DOC_UNKNOWN ? -1 : class == DOC_INDEX;
}

json_t *oci_document_load(
	const char *p, size_t n, const char *media_type, bool index, char **type, struct err **err)
{
	const char *inner = NULL;
	int64_t version = 0;
	auto_json json_t *o = manifest_load(p, n, err);

	if (!o)
		return NULL;
	enum doc_class class = manifest_classify(o, media_type, &inner, err);
	if (class == DOC_UNKNOWN)
		return NULL;
	if ((class == DOC_INDEX) != index) {
		err_set(err, ERR_CORRUPT, "expected %s, got %s", index ? "an index" : "a manifest",
			index ? "a manifest" : "an index");
		return NULL;
	}
	if (jsonx_int(o, "schemaVersion", true, "", &version, err) < 0)
		return NULL;
	if (version != 2) {
		err_set(err, ERR_UNSUPPORTED, "schemaVersion %lld", (long long)version);
		return NULL;
	}
	*type = NULL;
	if (manifest_class_of(inner) != DOC_UNKNOWN)
		*type = mem_strdup(inner);
	else if (manifest_class_of(media_type) != DOC_UNKNOWN)
		*type = mem_strndup(media_type, strcspn(media_type, "; "));
	return json_incref(o);
}

static bool manifest_is_docker(const struct oci_descriptor *d)
{
	return strncmp(d->media_type, "application/vnd.docker.", 23) == 0;
}

int oci_manifest_parse(
	const char *p, size_t n, const char *media_type, struct oci_manifest *out, struct err **err)
{
	auto_oci_manifest struct oci_manifest m = {0};
	json_t *config = NULL;
	auto_json json_t *o = oci_document_load(p, n, media_type, false, &m.media_type, err);

	if (!o || jsonx_object(o, "config", true, "", &config, err) < 0 ||
		oci_descriptor_parse(config, "config", &m.config, err) < 0 ||
		oci_descriptors_parse(o, "layers", OCI_LAYERS_MAX, &m.layers, &m.nlayers, err) <
			0 ||
		oci_map_parse(o, "annotations", "", false, &m.annotations, err) < 0)
		return -1;
	if (!m.media_type)
		m.media_type = mem_strdup(manifest_is_docker(&m.config) ? OCI_MEDIA_DOCKER_MANIFEST
									: OCI_MEDIA_MANIFEST);
	*out = m;
	m = (struct oci_manifest){0};
	return 0;
}

char *oci_manifest_dump(const struct oci_manifest *m, size_t *len)
{
	auto_json json_t *o = json_object();
	json_t *layers = json_array();

	jsonx_set(o, "schemaVersion", json_integer(2));
	jsonx_set_text(o, "mediaType", m->media_type ? m->media_type : OCI_MEDIA_MANIFEST);
	jsonx_set(o, "config", oci_descriptor_json(&m->config));
	for (size_t i = 0; i < m->nlayers; i++)
		json_array_append_new(layers, oci_descriptor_json(&m->layers[i]));
	jsonx_set(o, "layers", layers);
	if (m->annotations.n)
		jsonx_set(o, "annotations", oci_map_json(&m->annotations));
	return jsonx_dump(o, len);
}

void oci_manifest_clear(struct oci_manifest *m)
{
	free(m->media_type);
	oci_descriptor_clear(&m->config);
	oci_descriptors_free(m->layers, m->nlayers);
	strlist_clear(&m->annotations);
	*m = (struct oci_manifest){0};
}

static void manifest_set_type(char **type, bool docker)
{
	static const char *const pairs[][2] = {
		{OCI_MEDIA_MANIFEST, OCI_MEDIA_DOCKER_MANIFEST},
		{OCI_MEDIA_CONFIG, OCI_MEDIA_DOCKER_CONFIG},
	};
	const struct layertype *layer = layertype_find(*type);

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (*type && strcmp(*type, pairs[i][!docker]) == 0) {
			free(*type);
			*type = mem_strdup(pairs[i][docker]);
			return;
		}
	if (layer && layer->docker) {
		free(*type);
		*type = mem_strdup(docker ? layer->docker : layer->oci);
	}
}

void oci_manifest_set_types(struct oci_manifest *m, bool docker)
{
	manifest_set_type(&m->media_type, docker);
	manifest_set_type(&m->config.media_type, docker);
	for (size_t i = 0; i < m->nlayers; i++)
		manifest_set_type(&m->layers[i].media_type, docker);
}
