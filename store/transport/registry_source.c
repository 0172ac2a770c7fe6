// SPDX-License-Identifier: Apache-2.0
/*
 * A registry as a source of images, for pull.c: it only translates between struct transport and
 * registry.h. Apart from registry.c, which push uses too.
 */
#include <stdlib.h>

#include "store/base/mem.h"
#include "store/reference.h"
#include "store/transport/parallel.h"
#include "store/transport/progress.h"
#include "store/transport/registry.h"
#include "store/transport/transport.h"

struct registry_source {
	struct transport t; /* first */
	struct registry *registry;
	struct progress *p;
	char *ref; /* tag; NULL: by digest */
	struct digest digest;
};

static int source_manifest(struct transport *t, const struct digest *want, struct buf *body,
	char **media_type, struct err **err)
{
	struct registry_source *r = (struct registry_source *)t;

	if (!want && !r->ref)
		want = &r->digest;
	return registry_manifest(r->registry, want ? NULL : r->ref, want, body, media_type, err);
}

static int source_blob(struct transport *t, unsigned worker, const struct oci_descriptor *d,
	struct http_sink *sink, struct err **err)
{
	struct registry_source *r = (struct registry_source *)t;

	return registry_blob(r->registry, worker, d, sink, err);
}

static void source_close(struct transport *t)
{
	struct registry_source *r = (struct registry_source *)t;

	registry_close(r->registry);
	free(r->ref);
	free(r);
}

struct transport *transport_open_registry(
	const struct reference *ref, struct progress *p, struct err **err)
{
	static const struct transport_ops ops = {source_manifest, source_blob, source_close};
	struct registry_source *r = mem_alloc(sizeof *r);
	const struct transfer_opts *o = p->o;
	struct registry_opts ro = {.host = ref->host,
		.path = ref->path,
		.authfile = o->authfile,
		.cert_dir = o->cert_dir,
		.allow_private = o->allow_private,
		.tls_verify = o->tls_verify,
		.retries = o->retries,
		.retry_delay_ms = o->retry_delay_ms,
		.user = o->user,
		.password = o->password,
		.cancelled = o->cancelled,
		.stop = &p->stop,
		.notify = progress_retry,
		.ctx = p};

	transport_init(&r->t, &ops, reference_text(ref));
	strlist_add(&r->t.names, r->t.label);
	r->t.workers = PARALLEL_DEFAULT;
	r->t.remote = true;
	r->ref = ref->has_digest ? NULL : mem_strdup(ref->tag);
	r->digest = ref->digest;
	r->p = p;
	r->registry = registry_open(&ro, err);
	if (!r->registry) {
		transport_close(&r->t);
		return NULL;
	}
	r->t.host = registry_host(r->registry);
	r->t.path = registry_path(r->registry);
	return &r->t;
}
