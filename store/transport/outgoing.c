// SPDX-License-Identifier: Apache-2.0
#include "store/transport/outgoing.h"

#include <string.h>

#include "store/base/mem.h"
#include "store/blob.h"
#include "store/packed.h"
#include "store/transport/parallel.h"

struct preparation {
	struct outgoing *o;
	int (*send)(void *ctx, unsigned worker, const struct oci_descriptor *d, struct err **err);
	void *ctx;
};

static bool is_plain(const struct oci_descriptor *d)
{
	return strcmp(d->media_type, OCI_MEDIA_LAYER) == 0 ||
	       strcmp(d->media_type, OCI_MEDIA_DOCKER_LAYER) == 0;
}

bool outgoing_is_foreign(const struct oci_descriptor *d)
{
	return strstr(d->media_type, ".foreign.") || strstr(d->media_type, ".nondistributable.");
}

static bool is_docker(const struct oci_manifest *m)
{
	return strcmp(m->media_type, OCI_MEDIA_DOCKER_MANIFEST) == 0;
}

static void set_type(struct oci_descriptor *d, const char *type)
{
	free(d->media_type);
	d->media_type = mem_strdup(type);
}

static int prepare_layer(struct outgoing *o, size_t i, struct err **err)
{
	struct oci_descriptor *d = &o->m.layers[i];
	struct oci_descriptor packed = {0};
	struct packed_how how = {.packing = o->packing, .cancelled = o->p->o->cancelled};

	if (o->packing.c == LAYER_PLAIN || !is_plain(d))
		return 0;
	if (packed_layer(o->s, &o->image->config.diff_ids[i], &how, &packed, err) < 0)
		return err_prefix(err, "compressing layer %zu", i + 1);
	/* What the image says about the layer beside its form stays. */
	strlist_copy(&packed.annotations, &d->annotations);
	oci_descriptor_clear(d);
	*d = packed;
	if (is_docker(&o->m) && o->packing.c == LAYER_GZIP)
		set_type(d, OCI_MEDIA_DOCKER_LAYER_GZIP);
	return 0;
}

/* The same blob again, as empty layers often are: the first one is sent. Asked of the image as it
 * is in the store, which no thread changes. */
static bool is_repeated(const struct outgoing *o, size_t layer)
{
	const struct oci_descriptor *v = o->image->manifest.layers;

	for (size_t k = 0; k < layer; k++)
		if (sha256_equal(&v[k].digest, &v[layer].digest))
			return true;
	return false;
}

/* Work item 0 is the configuration. */
static int prepare_one(void *ctx, unsigned worker, size_t i, struct err **err)
{
	struct preparation *p = ctx;
	struct outgoing *o = p->o;
	const struct oci_descriptor *d = i ? &o->m.layers[i - 1] : &o->m.config;

	if (progress_check(o->p, err) < 0)
		return -1;
	if (i > 0 && prepare_layer(o, i - 1, err) < 0)
		return -1;
	if (!p->send || outgoing_is_foreign(d) || (i > 0 && is_repeated(o, i - 1)))
		return 0;
	return p->send(p->ctx, worker, d, err);
}

/* Docker's types know no zstd: such an image becomes an OCI one. */
static void to_oci_types(struct oci_manifest *m)
{
	free(m->media_type);
	m->media_type = mem_strdup(OCI_MEDIA_MANIFEST);
	if (strcmp(m->config.media_type, OCI_MEDIA_DOCKER_CONFIG) == 0)
		set_type(&m->config, OCI_MEDIA_CONFIG);
	for (size_t i = 0; i < m->nlayers; i++) {
		if (strcmp(m->layers[i].media_type, OCI_MEDIA_DOCKER_LAYER_GZIP) == 0)
			set_type(&m->layers[i], OCI_MEDIA_LAYER_GZIP);
		else if (strcmp(m->layers[i].media_type, OCI_MEDIA_DOCKER_LAYER) == 0)
			set_type(&m->layers[i], OCI_MEDIA_LAYER);
	}
}

static int finish(struct outgoing *o, bool changed, struct err **err)
{
	if (changed) {
		if (is_docker(&o->m) && o->packing.c == LAYER_ZSTD)
			to_oci_types(&o->m);
		free(o->bytes);
		o->bytes = oci_manifest_dump(&o->m, &o->len);
		if (blob_put(o->s, o->bytes, o->len, &o->d.digest, err) < 0)
			return -1;
	} else {
		sha256_of(o->bytes, o->len, &o->d.digest);
	}
	o->d.size = o->len;
	o->d.media_type = mem_strdup(o->m.media_type);
	o->d.has_platform = o->image->config.platform.architecture && o->image->config.platform.os;
	if (o->d.has_platform)
		oci_platform_copy(&o->d.platform, &o->image->config.platform);
	return 0;
}

int outgoing_prepare(struct outgoing *o, unsigned workers,
	int (*send)(void *ctx, unsigned worker, const struct oci_descriptor *d, struct err **err),
	void *ctx, struct err **err)
{
	struct preparation p = {.o = o, .send = send, .ctx = ctx};
	bool changed = false;

	o->bytes = blob_read(o->s, &o->image->manifest_digest, OCI_MANIFEST_MAX, &o->len, err);
	if (!o->bytes || oci_manifest_parse(o->bytes, o->len, NULL, &o->m, err) < 0)
		return -1;
	if (o->m.nlayers != o->image->config.ndiff_ids)
		return err_set(err, ERR_CORRUPT,
			"%zu layers in the manifest, %zu in the configuration", o->m.nlayers,
			o->image->config.ndiff_ids);
	for (size_t i = 0; i < o->m.nlayers; i++)
		changed |= is_plain(&o->m.layers[i]) && o->packing.c != LAYER_PLAIN;
	if (parallel_run(o->m.nlayers + 1, workers, prepare_one, &p, &o->p->stop, err) < 0)
		return -1;
	return finish(o, changed, err);
}

void outgoing_clear(struct outgoing *o)
{
	oci_manifest_clear(&o->m);
	oci_descriptor_clear(&o->d);
	free(o->bytes);
	o->bytes = NULL;
}

size_t outgoing_blobs(const struct outgoing *o, const struct oci_descriptor **v)
{
	size_t n = 0;

	v[n++] = &o->m.config;
	for (size_t i = 0; i < o->m.nlayers; i++) {
		size_t k = 0;

		while (k < n && !sha256_equal(&v[k]->digest, &o->m.layers[i].digest))
			k++;
		if (k == n && (!outgoing_is_foreign(&o->m.layers[i]) ||
				      blob_exists(o->s, &o->m.layers[i].digest, NULL)))
			v[n++] = &o->m.layers[i];
	}
	return n;
}
