// SPDX-License-Identifier: Apache-2.0
/* Image indexes (image-spec image-index.md). */
#include <stdlib.h>
#include <string.h>

#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "store/oci/oci_private.h"

int oci_index_parse(
	const char *p, size_t n, const char *media_type, struct oci_index *out, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	auto_json json_t *o = oci_document_load(p, n, media_type, true, &x.media_type, err);

	if (!o ||
		oci_descriptors_parse(
			o, "manifests", OCI_INDEX_MAX, &x.manifests, &x.nmanifests, err) < 0 ||
		oci_map_parse(o, "annotations", "", false, &x.annotations, err) < 0)
		return -1;
	if (!x.media_type)
		x.media_type = mem_strdup(OCI_MEDIA_INDEX);
	*out = x;
	x = (struct oci_index){0};
	return 0;
}

char *oci_index_dump(const struct oci_index *x, size_t *len)
{
	auto_json json_t *o = json_object();
	json_t *list = json_array();

	jsonx_set(o, "schemaVersion", json_integer(2));
	jsonx_set_text(o, "mediaType", x->media_type ? x->media_type : OCI_MEDIA_INDEX);
	for (size_t i = 0; i < x->nmanifests; i++)
		json_array_append_new(list, oci_descriptor_json(&x->manifests[i]));
	jsonx_set(o, "manifests", list);
	if (x->annotations.n)
		jsonx_set(o, "annotations", oci_map_json(&x->annotations));
	return jsonx_dump(o, len);
}

void oci_index_clear(struct oci_index *x)
{
	free(x->media_type);
	oci_descriptors_free(x->manifests, x->nmanifests);
	strlist_clear(&x->annotations);
	*x = (struct oci_index){0};
}

static bool is_document(const char *type)
{
	static const char *const known[] = {OCI_MEDIA_MANIFEST, OCI_MEDIA_DOCKER_MANIFEST,
		OCI_MEDIA_INDEX, OCI_MEDIA_DOCKER_LIST};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(type, known[i]) == 0)
			return true;
	return false;
}

bool oci_index_is_image(const struct oci_descriptor *entry)
{
	const char *os = entry->has_platform ? entry->platform.os : NULL;

	return is_document(entry->media_type) && !(os && strcmp(os, "unknown") == 0);
}

const struct oci_descriptor *oci_index_choose(
	const struct oci_index *x, const struct oci_platform *want)
{
	const struct oci_descriptor *best = NULL;
	auto_oci_platform struct oci_platform host = {0};
	int best_rank = 0;

	oci_platform_host(&host);
	for (size_t i = 0; i < x->nmanifests; i++) {
		const struct oci_descriptor *d = &x->manifests[i];
		if (!is_document(d->media_type))
			continue;
		/* Without a platform (nested indexes, plain layouts) only when nothing else fits.
		 */
		int rank =
			d->has_platform ? oci_platform_rank(want ? want : &host, &d->platform) : 1;
		if (rank > best_rank) {
			best_rank = rank;
			best = d;
		}
	}
	return best;
}
