// SPDX-License-Identifier: Apache-2.0
/*
 * Indexes of several platforms. What a text means is found without opening the document, and
 * whatever is not an index is handed to image_open(), which has the words for what is wrong with
 * it.
 */
#include "store/imageindex.h"

#include "store/base/mem.h"
#include "store/blob.h"
#include "store/image.h"
#include "store/reference.h"
#include "store/tags.h"

/* Without a look at the document: 1 there is such a name or it is a digest, 0 no, -1. */
static int imageindex_find(
	struct store *s, const char *text, struct digest *d, char **name, struct err **err)
{
	auto_reference struct reference ref = {0};
	auto_oci_descriptor struct oci_descriptor found = {0};
	int r = 1;

	if (sha256_parse_string(text, d) == 0)
		return 1;
	if (reference_parse(text, &ref, NULL) < 0)
		return 0;
	auto_free char *full = reference_text(&ref);
	if (!ref.has_digest)
		r = tags_find(s, full, &found, err);
	*d = ref.has_digest ? ref.digest : found.digest;
	if (r == 1)
		*name = TAKE(full);
	return r;
}

static int resolve_image(struct store *s, const char *text, struct oci_descriptor *out, char **name,
	struct err **err)
{
	auto_image struct image i = {0};

	if (image_open(s, text, NULL, &i, err) < 0)
		return -1;
	*out = (struct oci_descriptor){.digest = i.manifest_digest, .size = i.manifest_size};
	out->media_type = TAKE(i.manifest.media_type);
	if (name)
		*name = TAKE(i.name);
	return 0;
}

int imageindex_resolve(struct store *s, const char *text, struct oci_descriptor *out, char **name,
	struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	auto_free char *full = NULL;
	struct digest d;
	size_t n;
	int r = imageindex_find(s, text, &d, &full, err);

	auto_err struct err *why = NULL;

	if (r < 0)
		return -1;
	auto_free char *bytes = r ? blob_read(s, &d, OCI_MANIFEST_MAX, &n, &why) : NULL;
	if (why && !err_is_verdict(why))
		return err_pass(err, &why);
	/* Everything else, and what is wrong with it, is image_open()'s. */
	if (!bytes || oci_is_index(bytes, n, NULL, NULL) != 1)
		return resolve_image(s, text, out, name, err);
	if (oci_index_parse(bytes, n, NULL, &x, err) < 0)
		return err_prefix(err, "image %s", text);
	*out = (struct oci_descriptor){.digest = d, .size = n};
	out->media_type = TAKE(x.media_type);
	if (name)
		*name = TAKE(full);
	return 1;
}

int imageindex_read(
	struct store *s, const struct digest *d, struct oci_index *out, struct err **err)
{
	char shown[DIGEST_STRING];
	size_t n;
	auto_free char *bytes = blob_read(s, d, OCI_MANIFEST_MAX, &n, err);

	if (!bytes || oci_index_parse(bytes, n, NULL, out, err) < 0)
		return err_prefix(err, "index %s", sha256_string(d, shown));
	return 0;
}

int imageindex_entry(struct store *s, const struct digest *manifest, struct oci_descriptor *out,
	struct err **err)
{
	auto_image struct image i = {0};

	if (image_open_manifest(s, manifest, &i, err) < 0)
		return -1;
	*out = (struct oci_descriptor){.digest = *manifest, .size = i.manifest_size};
	out->media_type = TAKE(i.manifest.media_type);
	out->has_platform = i.config.platform.os && i.config.platform.architecture;
	if (out->has_platform)
		oci_platform_copy(&out->platform, &i.config.platform);
	return 0;
}

int imageindex_write(
	struct store *s, const struct oci_index *x, struct oci_descriptor *out, struct err **err)
{
	struct oci_descriptor d = {0};
	size_t n;
	auto_free char *bytes = oci_index_dump(x, &n);

	if (x->nmanifests > OCI_INDEX_MAX)
		return err_set(err, ERR_LIMIT, "an index of %zu images, the limit is %d",
			x->nmanifests, OCI_INDEX_MAX);
	if (n > OCI_MANIFEST_MAX)
		return err_set(err, ERR_LIMIT, "the index has %zu bytes, the limit is %zu", n,
			OCI_MANIFEST_MAX);
	if (blob_put(s, bytes, n, &d.digest, err) < 0)
		return -1;
	d.size = n;
	d.media_type = mem_strdup(x->media_type ? x->media_type : OCI_MEDIA_INDEX);
	*out = d;
	return 0;
}
