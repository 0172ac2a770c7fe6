// SPDX-License-Identifier: Apache-2.0
/*
 * From a text to an image and back. A text is tried as a name first and then as the beginning of an
 * ID; an ID is looked for among named images and only then in every blob that can be a manifest.
 * Writing checks sizes against what reading allows, so that no image is made which cannot be
 * opened.
 */
#include "store/image.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/reference.h"
#include "store/snapshot.h"
#include "store/tags.h"

#define INDEX_DEPTH   4 /* an index may name an index */
#define ID_PREFIX_MIN ((size_t)6)

void image_clear(struct image *i)
{
	free(i->name);
	oci_manifest_clear(&i->manifest);
	oci_config_clear(&i->config);
	*i = (struct image){0};
}

/* Parse a manifest that is in memory, with its configuration. */
static int image_fill(struct store *s, const struct digest *d, const char *text, size_t n,
	struct image *out, struct err **err)
{
	auto_image struct image i = {.manifest_digest = *d, .manifest_size = n};
	size_t len;

	if (oci_manifest_parse(text, n, NULL, &i.manifest, err) < 0)
		return -1;
	auto_free char *config = blob_read(s, &i.manifest.config.digest, OCI_CONFIG_MAX, &len, err);
	if (!config || oci_config_parse(config, len, &i.config, err) < 0)
		return -1;
	if (i.config.ndiff_ids != i.manifest.nlayers)
		return err_set(err, ERR_CORRUPT,
			"%zu layers, but %zu diff IDs in its configuration", i.manifest.nlayers,
			i.config.ndiff_ids);
	*out = i;
	i = (struct image){0};
	return 0;
}

static int open_digest(struct store *s, const struct digest *d, const struct oci_platform *want,
	int depth, struct image *out, struct err **err)
{
	size_t n;
	auto_oci_index struct oci_index x = {0};
	auto_free char *text = blob_read(s, d, OCI_MANIFEST_MAX, &n, err);
	int index = text ? oci_is_index(text, n, NULL, err) : -1;

	if (index < 0)
		return -1;
	if (!index)
		return image_fill(s, d, text, n, out, err);
	if (depth == INDEX_DEPTH)
		return err_set(err, ERR_CORRUPT, "indexes nested deeper than %d", INDEX_DEPTH);
	if (oci_index_parse(text, n, NULL, &x, err) < 0)
		return -1;
	const struct oci_descriptor *entry = oci_index_choose(&x, want);
	if (!entry) {
		auto_oci_platform struct oci_platform host = {0};
		oci_platform_host(&host);
		auto_free char *p = oci_platform_text(want ? want : &host);
		return err_set(err, ERR_NOT_FOUND, "no image for platform %s", p);
	}
	return open_digest(s, &entry->digest, want, depth + 1, out, err);
}

static int image_open_named(struct store *s, const struct digest *d,
	const struct oci_platform *want, struct image *out, struct err **err)
{
	char text[DIGEST_STRING];

	if (open_digest(s, d, want, 0, out, err) < 0)
		return err_prefix(err, "image %s", sha256_string(d, text));
	return 0;
}

int image_open_manifest(
	struct store *s, const struct digest *manifest, struct image *out, struct err **err)
{
	return image_open_named(s, manifest, NULL, out, err);
}

/* --- by ID ------------------------------------------------------------------------------------ */

/* Images whose configuration digest begins with these digits. */
struct search {
	const char *hex;
	size_t len;
	bool several;
	bool found;
	struct digest config;
	struct digest manifest;
};

static void consider(struct search *q, const struct digest *manifest, const struct digest *config)
{
	char hex[DIGEST_HEX];

	sha256_hex(config, hex);
	if (strncmp(hex, q->hex, q->len) != 0)
		return;
	if (q->found && !sha256_equal(&q->config, config))
		q->several = true;
	if (!q->found) {
		q->manifest = *manifest;
		q->config = *config;
	}
	q->found = true;
}

/* What is wrong with it is said when somebody asks for it by name. */
static int consider_blob(
	struct store *s, const struct digest *d, struct search *q, struct err **err)
{
	size_t n;
	auto_err struct err *why = NULL;
	auto_oci_manifest struct oci_manifest m = {0};
	auto_free char *text = blob_read(s, d, OCI_MANIFEST_MAX, &n, &why);

	if (!text)
		return err_is_verdict(why) ? 0 : err_pass(err, &why);
	if (oci_manifest_parse(text, n, NULL, &m, NULL) == 0)
		consider(q, d, &m.config.digest);
	return 0;
}

static int search_names(struct store *s, struct search *q, struct err **err)
{
	auto_tags struct tags t = {0};

	if (tags_list(s, &t, err) < 0)
		return -1;
	for (size_t i = 0; i < t.n; i++)
		if (consider_blob(s, &t.v[i].manifest.digest, q, err) < 0)
			return -1;
	return 0;
}

/* Small enough for a manifest, and begins like one? 1, 0, -1. */
static int may_be_manifest(int dir, const char *name, struct err **err)
{
	struct stat st;
	char c;
	auto_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "blob sha256:%s", name);
	if (!S_ISREG(st.st_mode) || st.st_size == 0 || (uint64_t)st.st_size > OCI_MANIFEST_MAX)
		return 0;
	return fs_pread_all(fd, &c, 1, 0) < 0 ? err_sys(err, "blob sha256:%s", name) : c == '{';
}

/* Images without a name: every blob that can be a manifest. */
static int search_blobs(struct store *s, struct search *q, struct err **err)
{
	DIR *dir = fs_opendir(store_blobs_fd(s), ".");
	const struct dirent *e;
	int r = 0, more = 0;

	if (!dir)
		return err_sys(err, "store %s: blobs", store_root(s));
	while (r >= 0 && (more = fs_readdir(dir, &e)) == 1) {
		struct digest d;
		if (sha256_parse_hex(e->d_name, strlen(e->d_name), &d) < 0)
			continue;
		r = may_be_manifest(store_blobs_fd(s), e->d_name, err);
		if (r == 1)
			r = consider_blob(s, &d, q, err);
	}
	if (more < 0)
		r = err_sys(err, "store %s: blobs", store_root(s));
	closedir(dir);
	return r < 0 ? -1 : 0;
}

/* 1 found, 0 not, -1. */
static int find_id(struct store *s, const char *hex, struct digest *manifest, struct err **err)
{
	struct search q = {.hex = hex, .len = strlen(hex)};

	if (search_names(s, &q, err) < 0 || (!q.found && search_blobs(s, &q, err) < 0))
		return -1;
	if (q.several)
		return err_set(err, ERR_USAGE, "image ID %s is ambiguous", hex);
	if (q.found)
		*manifest = q.manifest;
	return q.found;
}

static bool image_is_id(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");

	return !text[n] && n >= ID_PREFIX_MIN && n < DIGEST_HEX;
}

static int not_found(struct err **err, const char *text)
{
	auto_free char *shown = fs_printable(text);

	return err_set(err, ERR_NOT_FOUND, "no image %s in the store", shown);
}

/* "sha256:...": a manifest, an index, or a configuration. */
static int open_by_digest(struct store *s, const char *text, const struct oci_platform *want,
	struct image *out, struct err **err)
{
	struct digest d, manifest;
	auto_err struct err *first = NULL;

	if (sha256_parse_string(text, &d) < 0)
		return err_set(err, ERR_USAGE, "a digest has 64 hexadecimal digits");
	if (open_digest(s, &d, want, 0, out, &first) == 0)
		return 0;
	if (!err_is_verdict(first))
		return err_pass(err, &first);
	int r = find_id(s, text + strlen("sha256:"), &manifest, err);
	if (r < 0)
		return -1;
	if (r)
		return image_open_named(s, &manifest, want, out, err);
	if (err_get_kind(first) == ERR_NOT_FOUND)
		return not_found(err, text);
	return err_set(err, err_get_kind(first), "image %s: %s", text, err_text(first));
}

/* --- by name ---------------------------------------------------------------------------------- */

/* 1 opened, 0 no such name, -1. */
static int open_by_name(struct store *s, const char *text, const struct oci_platform *want,
	struct image *out, struct err **err)
{
	struct oci_descriptor d = {0};
	auto_reference struct reference ref = {0};

	if (reference_parse(text, &ref, err) < 0)
		return -1;
	if (ref.has_digest) {
		if (open_digest(s, &ref.digest, want, 0, out, err) < 0)
			return err_prefix(err, "image %s", text);
		out->name = reference_text(&ref);
		return 1;
	}
	auto_free char *name = reference_text(&ref);
	int r = tags_find(s, name, &d, err);
	if (r <= 0)
		return r;
	r = open_digest(s, &d.digest, want, 0, out, err);
	oci_descriptor_clear(&d);
	if (r < 0)
		return err_prefix(err, "image %s", name);
	out->name = TAKE(name);
	return 1;
}

int image_open(struct store *s, const char *text, const struct oci_platform *want,
	struct image *out, struct err **err)
{
	struct digest manifest;

	if (strncmp(text, "sha256:", 7) == 0)
		return open_by_digest(s, text, want, out, err);
	/* 64 digits are never a name; fewer may be one, and a name comes first. */
	int r = strlen(text) == DIGEST_HEX - 1 && image_is_id(text)
			? 0
			: open_by_name(s, text, want, out, err);
	if (r)
		return r < 0 ? -1 : 0;
	r = image_is_id(text) ? find_id(s, text, &manifest, err) : 0;
	if (r < 0)
		return -1;
	return r ? image_open_named(s, &manifest, want, out, err) : not_found(err, text);
}

/* --- writing ---------------------------------------------------------------------------------- */

static int plain_layer(
	struct store *s, const struct digest *diff_id, struct oci_descriptor *out, struct err **err)
{
	int have = blob_exists(s, diff_id, &out->size, err);
	if (have < 0)
		return -1;
	if (!have) { /* made from a compressed one */
		auto_fd int fd = snapshot_tar(s, diff_id, &out->size, err);
		if (fd < 0)
			return -1;
	}
	out->media_type = mem_strdup(OCI_MEDIA_LAYER);
	out->digest = *diff_id;
	return 0;
}

static int fill_layers(struct store *s, const struct oci_config *c,
	const struct oci_descriptor *layers, struct oci_manifest *m, struct err **err)
{
	m->layers = mem_array(c->ndiff_ids, sizeof *m->layers);
	for (size_t i = 0; i < c->ndiff_ids; i++) {
		m->nlayers = i + 1;
		if (layers)
			oci_descriptor_copy(&m->layers[i], &layers[i]);
		else if (plain_layer(s, &c->diff_ids[i], &m->layers[i], err) < 0)
			return -1;
	}
	return 0;
}

int image_write(struct store *s, const struct oci_config *c, const struct oci_descriptor *layers,
	const struct image_form *form, struct oci_descriptor *out, struct digest *config,
	struct err **err)
{
	static const struct image_form plain;
	const struct image_form *f = form ? form : &plain;
	auto_oci_manifest struct oci_manifest m = {0};
	size_t n;

	m.media_type = mem_strdup(f->docker ? OCI_MEDIA_DOCKER_MANIFEST : OCI_MEDIA_MANIFEST);
	if (c->ndiff_ids > OCI_LAYERS_MAX)
		return err_set(err, ERR_LIMIT, "%zu layers, the limit is %d", c->ndiff_ids,
			OCI_LAYERS_MAX);
	if (oci_config_check(c, err) < 0 || fill_layers(s, c, layers, &m, err) < 0)
		return -1;
	if (f->annotations && !f->docker)
		strlist_copy(&m.annotations, f->annotations);
	auto_free char *text = oci_config_dump(c, &n);
	if (n > OCI_CONFIG_MAX)
		return err_set(err, ERR_LIMIT,
			"the image configuration has %zu bytes, the limit is %zu", n,
			OCI_CONFIG_MAX);
	if (blob_put(s, text, n, &m.config.digest, err) < 0)
		return -1;
	m.config.media_type = mem_strdup(f->docker ? OCI_MEDIA_DOCKER_CONFIG : OCI_MEDIA_CONFIG);
	m.config.size = n;
	oci_manifest_set_types(&m, f->docker);
	auto_free char *manifest = oci_manifest_dump(&m, &n);
	struct oci_descriptor d = {.size = n};
	if (n > OCI_MANIFEST_MAX)
		return err_set(err, ERR_LIMIT, "the manifest has %zu bytes, the limit is %zu", n,
			OCI_MANIFEST_MAX);
	if (blob_put(s, manifest, n, &d.digest, err) < 0)
		return -1;
	d.media_type = mem_strdup(m.media_type);
	if (f->descriptor)
		strlist_copy(&d.annotations, f->descriptor);
	d.has_platform = c->platform.architecture && c->platform.os;
	if (d.has_platform)
		oci_platform_copy(&d.platform, &c->platform);
	*out = d;
	if (config)
		*config = m.config.digest;
	return 0;
}
