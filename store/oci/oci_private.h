/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of store/oci/ share: JSON forms of descriptors and annotations. */
#ifndef BLD_STORE_OCI_OCI_PRIVATE_H
#define BLD_STORE_OCI_OCI_PRIVATE_H

#include "store/base/jsonx.h"
#include "store/oci/oci.h"

/* An object of strings -> "KEY=value" lines; out is replaced. A key with '=' cannot be a line: with
 * strict it is ERR_CORRUPT, else it is left out. Missing or null: empty. */
int oci_map_parse(json_t *o, const char *key, const char *path, bool strict, struct strlist *out,
	struct err **err);
/* The lines as an object sorted by key. */
json_t *oci_map_json(const struct strlist *l);

/* out is overwritten, and only on success. */
int oci_descriptor_parse(json_t *o, const char *path, struct oci_descriptor *out, struct err **err);
json_t *oci_descriptor_json(const struct oci_descriptor *d);
/* The array member `key` of o as descriptors; *out and *n are written on success. */
int oci_descriptors_parse(json_t *o, const char *key, size_t max, struct oci_descriptor **out,
	size_t *n, struct err **err);
void oci_descriptors_free(struct oci_descriptor *v, size_t n);

/* The four members of a platform; out is replaced. Names are normalised (S24). */
int oci_platform_from_json(json_t *o, const char *path, struct oci_platform *out, struct err **err);
void oci_platform_to_json(const struct oci_platform *p, json_t *o);

/* Load a manifest or index: JSON object, schemaVersion 2, the expected class. *type is the media
 * type found, owned by the caller (NULL when neither the document nor the caller names one). */
json_t *oci_document_load(
	const char *p, size_t n, const char *media_type, bool index, char **type, struct err **err);

#endif
