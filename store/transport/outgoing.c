// SPDX-License-Identifier: Apache-2.0
/*
 * What an image needs before it leaves: layers compressed as asked for, the manifest with the types
 * asked for. A worker per blob; a layer is sent while it is compressed, by another thread, unless
 * the sink cannot do that. All layers share one number of compression threads. The manifest is
 * written last, when all digests are known.
 */
#include "store/transport/outgoing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/thread.h"
#include "store/blob.h"
#include "store/oci/layertype.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/transport/growing.h"
#include "store/transport/parallel.h"
#include "store/compress/deflate.h"

#define PIECE ((uint64_t)1 << 20) /* of a layer; threads beyond their number have nothing to do */

struct preparation {
	struct outgoing *o;
	const struct outgoing_sink *sink;
	const size_t *order; /* of the work items */
	/* Threads for compression that nobody uses: all layers together have one for each core. */
	pthread_mutex_t lock;
	pthread_cond_t freed;
	unsigned threads;
};

/* A layer on its way: one thread compresses it, the worker's sends it. */
struct making {
	struct preparation *p;
	size_t layer;
	struct growing growing;
	int rc;
	struct err *err;
};

static bool is_packed_as(const struct oci_descriptor *d, enum layer_compression c)
{
	const struct layertype *t = layertype_find(d->media_type);

	return t && !t->foreign && t->compression == c;
}

static bool outgoing_is_foreign(const struct oci_descriptor *d)
{
	return strstr(d->media_type, ".foreign.") || strstr(d->media_type, ".nondistributable.");
}

static bool outgoing_is_docker(const struct oci_manifest *m)
{
	return strcmp(m->media_type, OCI_MEDIA_DOCKER_MANIFEST) == 0;
}

static void outgoing_set_type(struct oci_descriptor *d, const char *type)
{
	free(d->media_type);
	d->media_type = mem_strdup(type);
}

/* As many threads as there are, at most as many as there is work for; at least one, when it is
 * there. */
static unsigned take_threads(struct preparation *p, uint64_t size)
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	while (p->threads == 0)
		pthread_cond_wait(&p->freed, &p->lock);
	n = size / PIECE < p->threads ? (unsigned)(size / PIECE) + 1 : p->threads;
	p->threads -= n;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static void give_threads(struct preparation *p, unsigned n)
{
	pthread_mutex_lock(&p->lock);
	p->threads += n;
	pthread_cond_broadcast(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

static int on_grown(void *ctx, int fd, uint64_t n, struct err **err)
{
	struct making *m = ctx;

	if (progress_check(m->p->o->p, err) < 0)
		return -1;
	return growing_moved(&m->growing, fd, n) ? 0 : err_set(err, ERR_CANCELLED, "cancelled");
}

/* With a level that is not the default nobody knows how a layer was made. */
static bool needs_packing(const struct outgoing *o, size_t i)
{
	const struct oci_descriptor *d = &o->m.layers[i];

	if (outgoing_is_docker(&o->m) && o->types == TRANSFER_TYPES_DOCKER &&
		layertype_docker_lacks(d->media_type))
		return true;
	if (o->repack && !outgoing_is_foreign(d))
		return !is_packed_as(d, o->packing.c) ||
		       (o->packing.c != LAYER_PLAIN && o->packing.level);
	return o->packing.c != LAYER_PLAIN && is_packed_as(d, LAYER_PLAIN);
}

/* Is the layer compressed already? Only a hint: whoever makes it asks again. */
static bool is_made(const struct outgoing *o, size_t i)
{
	struct oci_descriptor d = {0};
	bool known = packed_known(o->s, &o->image->config.diff_ids[i], &o->packing, &d, NULL) == 1;

	oci_descriptor_clear(&d);
	return known;
}

/* The descriptor of the compressed layer in place of the plain one's. */
static int pack_layer(struct making *m, struct err **err)
{
	struct outgoing *o = m->p->o;
	struct oci_descriptor *d = &o->m.layers[m->layer];
	struct oci_descriptor packed = {0};
	struct packed_how how = {.packing = o->packing, .grown = on_grown, .ctx = m};
	int rc;

	/* What is made already waits for nobody. */
	bool made = is_made(o, m->layer);
	how.threads = made ? 1 : take_threads(m->p, d->size);
	rc = packed_layer(o->s, &o->image->config.diff_ids[m->layer], &how, &packed, err);
	if (!made)
		give_threads(m->p, how.threads);
	if (rc < 0)
		return err_prefix(err, "compressing layer %zu", m->layer + 1);
	/* What the image says about the layer beside its form stays. */
	strlist_copy(&packed.annotations, &d->annotations);
	oci_descriptor_clear(d);
	*d = packed;
	if (outgoing_is_docker(&o->m) && layertype_of(o->packing.c)->docker)
		outgoing_set_type(d, layertype_of(o->packing.c)->docker);
	return 0;
}

static void *outgoing_make_layer(void *arg)
{
	struct making *m = arg;
	const struct oci_descriptor *d = &m->p->o->m.layers[m->layer];

	m->rc = pack_layer(m, &m->err);
	growing_end(&m->growing, m->rc < 0 ? NULL : &d->digest, m->rc < 0 ? 0 : d->size);
	return NULL;
}

/* 0 = made and sent, 1 = made, -1. */
static int make_and_send(struct making *m, unsigned worker, struct err **err)
{
	const struct outgoing_sink *to = m->p->sink;
	const struct digest *diff_id = &m->p->o->image->config.diff_ids[m->layer];
	pthread_t thread;
	int rc;

	if (!to || !to->growing || is_made(m->p->o, m->layer) ||
		thread_start(&thread, outgoing_make_layer, m) != 0)
		return pack_layer(m, err) < 0 ? -1 : 1;
	rc = to->growing(to->ctx, worker, diff_id, &m->growing, err);
	if (rc < 0)
		growing_abandon(&m->growing);
	pthread_join(thread, NULL);
	/* Of two errors the sender's: the other one came of it. */
	if (rc >= 0 && m->rc < 0) {
		if (err)
			*err = TAKE(m->err);
		rc = -1;
	}
	err_free(m->err);
	return rc;
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
static int prepare_one(void *ctx, unsigned worker, size_t item, struct err **err)
{
	struct preparation *p = ctx;
	struct outgoing *o = p->o;
	const size_t i = p->order[item];
	const struct oci_descriptor *d = i ? &o->m.layers[i - 1] : &o->m.config;
	bool repeated = i > 0 && is_repeated(o, i - 1);

	if (progress_check(o->p, err) < 0)
		return -1;
	if (i > 0 && needs_packing(o, i - 1)) {
		struct making m = {.p = p, .layer = i - 1};
		int rc;

		growing_init(&m.growing);
		/* The first one of equal layers is sent; this one waits for it. */
		rc = repeated ? pack_layer(&m, err) : make_and_send(&m, worker, err);
		growing_clear(&m.growing);
		if (rc <= 0)
			return rc;
	}
	if (!p->sink || outgoing_is_foreign(d) || repeated)
		return 0;
	return p->sink->blob(p->sink->ctx, worker, d, err);
}

/* Layers of these kinds can be said in Docker's types; zstd ones after they became gzip. */
static bool docker_knows(const char *type)
{
	const struct layertype *t = layertype_find(type);

	return (t && t->docker && strcmp(type, t->docker) == 0) || layertype_docker_lacks(type);
}

static void drop_annotations(struct outgoing *o, struct strlist *annotations)
{
	if (annotations->n)
		o->lost |= OUTGOING_LOST_ANNOTATIONS;
	strlist_clear(annotations);
}

static int use_docker_types(struct outgoing *o, struct err **err)
{
	struct oci_manifest *m = &o->m;

	oci_manifest_set_types(m, true);
	if (strcmp(m->config.media_type, OCI_MEDIA_DOCKER_CONFIG) != 0)
		return err_set(err, ERR_UNSUPPORTED,
			"%s has no counterpart among Docker's media types", m->config.media_type);
	drop_annotations(o, &m->annotations);
	drop_annotations(o, &m->config.annotations);
	for (size_t i = 0; i < m->nlayers; i++) {
		if (!docker_knows(m->layers[i].media_type))
			return err_set(err, ERR_UNSUPPORTED,
				"layer %zu: %s has no counterpart among Docker's media types",
				i + 1, m->layers[i].media_type);
		if (layertype_docker_lacks(m->layers[i].media_type))
			o->lost |= OUTGOING_LOST_ZSTD;
		drop_annotations(o, &m->layers[i].annotations);
	}
	if (!layertype_of(o->packing.c)->docker) {
		o->packing = (struct layer_packing){.c = LAYER_GZIP};
		o->lost |= OUTGOING_LOST_ZSTD;
	}
	return 0;
}

/* The family of types that is asked for: 1 the manifest became another one, 0, -1. */
static int set_types(struct outgoing *o, struct err **err)
{
	bool docker = o->types == TRANSFER_TYPES_DOCKER;

	if (o->types == TRANSFER_TYPES_KEEP || outgoing_is_docker(&o->m) == docker)
		return 0;
	if (docker)
		return use_docker_types(o, err) < 0 ? -1 : 1;
	oci_manifest_set_types(&o->m, false);
	return 1;
}

static int outgoing_finish(struct outgoing *o, bool changed, struct err **err)
{
	if (changed) {
		/* Docker's types know no zstd: such an image becomes an OCI one. */
		if (outgoing_is_docker(&o->m) && !layertype_of(o->packing.c)->docker)
			oci_manifest_set_types(&o->m, false);
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

static int outgoing_run(
	struct outgoing *o, unsigned workers, const struct outgoing_sink *sink, struct err **err)
{
	struct preparation p = {.o = o, .sink = sink, .threads = layer_deflate_threads()};
	const size_t n = o->m.nlayers + 1;
	auto_free uint64_t *sizes = mem_array(n, sizeof *sizes);
	auto_free size_t *order = NULL;
	int rc;

	/* Sending may fall behind compression. What is left to send at the end is least when that
	 * began with the largest layer. */
	sizes[0] = UINT64_MAX;
	for (size_t i = 1; i < n; i++)
		sizes[i] = o->m.layers[i - 1].size;
	p.order = order = parallel_largest_first(sizes, n);
	pthread_mutex_init(&p.lock, NULL);
	pthread_cond_init(&p.freed, NULL);
	rc = parallel_run(n, workers, prepare_one, &p, &o->p->stop, err);
	pthread_cond_destroy(&p.freed);
	pthread_mutex_destroy(&p.lock);
	return rc;
}

int outgoing_prepare(
	struct outgoing *o, unsigned workers, const struct outgoing_sink *sink, struct err **err)
{
	o->bytes = blob_read(o->s, &o->image->manifest_digest, OCI_MANIFEST_MAX, &o->len, err);
	if (!o->bytes || oci_manifest_parse(o->bytes, o->len, NULL, &o->m, err) < 0)
		return -1;
	if (o->m.nlayers != o->image->config.ndiff_ids)
		return err_set(err, ERR_CORRUPT,
			"%zu layers in the manifest, %zu in the configuration", o->m.nlayers,
			o->image->config.ndiff_ids);
	int changed = set_types(o, err);
	if (changed < 0)
		return -1;
	for (size_t i = 0; i < o->m.nlayers; i++)
		changed |= needs_packing(o, i);
	if (outgoing_run(o, workers, sink, err) < 0)
		return -1;
	return outgoing_finish(o, changed, err);
}

void outgoing_clear(struct outgoing *o)
{
	oci_manifest_clear(&o->m);
	oci_descriptor_clear(&o->d);
	free(o->bytes);
	o->bytes = NULL;
}

/* Does it go into a layout? A layer of which registries keep no copy only when it is here: 1, 0,
 * -1.
 */
static int is_sent(const struct outgoing *o, const struct oci_descriptor *d, struct err **err)
{
	return outgoing_is_foreign(d) ? blob_exists(o->s, &d->digest, NULL, err) : 1;
}

/* Every blob of the image except the manifest, each once: configuration first. Returns their
 * number, or -1; v has room for OCI_LAYERS_MAX + 1. */
static ssize_t outgoing_blobs(
	const struct outgoing *o, const struct oci_descriptor **v, struct err **err)
{
	size_t n = 0;

	v[n++] = &o->m.config;
	for (size_t i = 0; i < o->m.nlayers; i++) {
		size_t k = 0;

		while (k < n && !sha256_equal(&v[k]->digest, &o->m.layers[i].digest))
			k++;
		int sent = k == n ? is_sent(o, &o->m.layers[i], err) : 0;
		if (sent < 0)
			return -1;
		if (sent)
			v[n++] = &o->m.layers[i];
	}
	return (ssize_t)n;
}

int outgoing_add(const struct outgoing *o, struct outgoing_set *set, struct err **err)
{
	const struct oci_descriptor *v[OCI_LAYERS_MAX + 1];
	ssize_t n = outgoing_blobs(o, v, err);

	for (ssize_t i = 0; i < n; i++)
		MEM_PUSH(set->v, set->n, set->cap) = v[i];
	MEM_PUSH(set->v, set->n, set->cap) = &o->d;
	return n < 0 ? -1 : 0;
}

void outgoing_set_clear(struct outgoing_set *set)
{
	free(set->v);
	free(set->tops);
	*set = (struct outgoing_set){0};
}
