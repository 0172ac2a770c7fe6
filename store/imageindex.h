/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image indexes of the store: one name for images of several platforms (image-spec image-index.md).
 * image.h chooses one image of them; here they are read and written as what they are.
 */
#ifndef BLD_STORE_IMAGEINDEX_H
#define BLD_STORE_IMAGEINDEX_H

#include "store/oci/oci.h"
#include "store/store.h"

/*
 * The document that `text` stands for, as image_open() understands it, but without choosing a
 * platform: 1 an index, 0 the manifest of an image, -1 (ERR_NOT_FOUND when there is none). *out has
 * media type, digest and size; *name the full name it was found by, NULL by digest or ID (owned by
 * the caller; may be NULL).
 */
int imageindex_resolve(struct store *s, const char *text, struct oci_descriptor *out, char **name,
	struct err **err);
/* Read an index. ERR_CORRUPT, ERR_NOT_FOUND. */
int imageindex_read(
	struct store *s, const struct digest *d, struct oci_index *out, struct err **err);
/* The entry of an image: its platform is what its configuration says, if it says any. */
int imageindex_entry(struct store *s, const struct digest *manifest, struct oci_descriptor *out,
	struct err **err);
/* Write the blob; not tagged, see tags_set(). ERR_LIMIT. */
int imageindex_write(
	struct store *s, const struct oci_index *x, struct oci_descriptor *out, struct err **err);

#define auto_oci_descriptor CLEANUP(oci_descriptor_clear)

#endif
