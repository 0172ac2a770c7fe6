/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image in the store: manifest + configuration, found by name, digest or ID prefix.
 */
#ifndef BLD_STORE_IMAGE_H
#define BLD_STORE_IMAGE_H

#include "store/oci/oci.h"
#include "store/store.h"

struct image {
	char *name; /* full normalised name it was found by, NULL when by digest; owned */
	struct digest manifest_digest;
	uint64_t manifest_size;
	struct oci_manifest manifest;
	struct oci_config config;
};

/*
 * text: a name ("app", "127.0.0.1:5000/app:1"), "sha256:..." of a manifest or config, or at least 6
 * hex digits of a config digest (an image ID) that are unambiguous. An index in the store is
 * resolved for `want` (NULL = this machine). ERR_NOT_FOUND when there is none.
 */
int image_open(struct store *s, const char *text, const struct oci_platform *want,
	struct image *out, struct err **err);
int image_open_manifest(
	struct store *s, const struct digest *manifest, struct image *out, struct err **err);
/* How an image is written; zero: OCI, without annotations. */
struct image_form {
	bool docker; /* media types of Docker's schema 2, which knows neither annotations nor zstd:
			layers are plain or gzip */
	const struct strlist *annotations; /* "K=V" of the manifest; or NULL */
	const struct strlist *descriptor;  /* "K=V" of its descriptor; or NULL */
};
/* Write config and manifest blobs. layers: one descriptor a diff ID of c, or NULL = all plain tars
 * of the store; their types are made those of the form. Not tagged; see tags_set. form may be NULL.
 * Fills *out with the manifest's descriptor. */
int image_write(struct store *s, const struct oci_config *c, const struct oci_descriptor *layers,
	const struct image_form *form, struct oci_descriptor *out, struct digest *config,
	struct err **err);
void image_clear(struct image *i);
#define auto_image CLEANUP(image_clear)

#endif
