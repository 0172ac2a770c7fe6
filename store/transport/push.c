// SPDX-License-Identifier: Apache-2.0
/*
 * An image to a registry: what outgoing.c prepares is asked for, mounted from another repository,
 * or uploaded. The manifest follows when all blobs are there, as the registry refuses it otherwise.
 * What was sent is remembered for later mounts (origins.c).
 */
#include <string.h>

#include "store/base/mem.h"
#include "store/blob.h"
#include "store/reference.h"
#include "store/transport/growing.h"
#include "store/transport/origins.h"
#include "store/transport/outgoing.h"
#include "store/transport/parallel.h"
#include "store/transport/progress.h"
#include "store/transport/registry.h"
#include "store/transport/registry_push.h"

struct push {
	struct outgoing *o;
	struct registry *r;
};

static int send_blob(void *ctx, unsigned worker, const struct oci_descriptor *d, struct err **err)
{
	struct push *p = ctx;
	struct progress *pr = p->o->p;
	auto_free char *from = NULL;
	struct progress_blob pb;
	uint64_t size;
	auto_fd int fd = -1;
	struct registry_push up = {
		.digest = d->digest, .progress = progress_blob_moved, .ctx = &pb};
	int rc = registry_push_has(p->r, worker, &d->digest, err);

	if (rc < 0)
		return -1;
	if (rc > 0) {
		progress_emit(pr, TRANSFER_BLOB_EXISTS, &d->digest, d->size, d->size, NULL);
		origins_add(p->o->s, registry_host(p->r), registry_path(p->r), &d->digest);
		return 0;
	}
	fd = blob_open(p->o->s, &d->digest, &size, err);
	if (fd < 0)
		return -1;
	from = origins_find(p->o->s, registry_host(p->r), registry_path(p->r), &d->digest);
	up.fd = fd;
	up.size = size;
	up.from = from;
	progress_blob_start(&pb, pr, &d->digest, size);
	rc = registry_push_blob(p->r, worker, &up, err);
	if (rc < 0)
		return -1;
	progress_emit(
		pr, rc ? TRANSFER_BLOB_MOUNTED : TRANSFER_BLOB_DONE, &d->digest, size, size, from);
	origins_add(p->o->s, registry_host(p->r), registry_path(p->r), &d->digest);
	return 0;
}

static int push_send_growing(void *ctx, unsigned worker, const struct digest *diff_id,
	struct growing *g, struct err **err)
{
	struct push *p = ctx;
	struct progress *pr = p->o->p;
	struct progress_blob pb;
	uint64_t size;
	int rc;

	if (growing_wait(g, REGISTRY_PUSH_PIECE, &size))
		return 1; /* too small for it to be worth while */
	progress_blob_start(&pb, pr, diff_id, 0);
	rc = registry_push_growing(p->r, worker, g, progress_blob_moved, &pb, err);
	if (rc < 0 || rc == REGISTRY_PUSH_LATER)
		return rc < 0 ? -1 : 1;
	growing_wait(g, 0, &size);
	progress_emit(
		pr, rc ? TRANSFER_BLOB_EXISTS : TRANSFER_BLOB_DONE, diff_id, size, size, NULL);
	origins_add(p->o->s, registry_host(p->r), registry_path(p->r), &g->digest);
	return 0;
}

static struct registry *open_for_push(
	struct progress *p, const struct reference *ref, struct err **err)
{
	const struct transfer_opts *t = p->o;
	struct registry_opts ro = {.host = ref->host,
		.path = ref->path,
		.authfile = t->authfile,
		.cert_dir = t->cert_dir,
		.allow_private = t->allow_private,
		.tls_verify = t->tls_verify,
		.retries = t->retries,
		.retry_delay_ms = t->retry_delay_ms,
		.user = t->user,
		.password = t->password,
		.push = true,
		.cancelled = t->cancelled,
		.stop = &p->stop,
		.notify = progress_retry,
		.ctx = p};

	return registry_open(&ro, err);
}

int transport_to_registry(struct outgoing *o, const struct reference *ref, struct err **err)
{
	auto_registry struct registry *r = open_for_push(o->p, ref, err);
	struct push p = {.o = o, .r = r};
	const struct outgoing_sink sink = {
		.blob = send_blob, .growing = push_send_growing, .ctx = &p};
	auto_free char *name = reference_text(ref);

	if (!r)
		return -1;
	if (outgoing_prepare(o, PARALLEL_DEFAULT, &sink, err) < 0)
		return -1;
	if (ref->has_digest && !sha256_equal(&ref->digest, &o->d.digest))
		return err_set(err, ERR_USAGE, "%s: the image does not have that digest", name);
	if (progress_check(o->p, err) < 0)
		return -1;
	char digest[DIGEST_STRING];
	const struct registry_document doc = {
		.ref = o->by_digest ? sha256_string(&o->d.digest, digest) : ref->tag,
		.bytes = o->bytes,
		.n = o->len,
		.media_type = o->d.media_type};
	if (registry_push_manifest(r, &doc, &o->refused, err) < 0)
		return -1;
	progress_emit(o->p, TRANSFER_MANIFEST, &o->d.digest, o->len, o->len, NULL);
	return 0;
}

int transport_index_to_registry(struct progress *p, const struct reference *ref, const char *bytes,
	size_t n, const char *media_type, bool *refused, struct err **err)
{
	auto_registry struct registry *r = open_for_push(p, ref, err);
	const struct registry_document doc = {
		.ref = ref->tag, .bytes = bytes, .n = n, .media_type = media_type};

	return r ? registry_push_manifest(r, &doc, refused, err) : -1;
}
