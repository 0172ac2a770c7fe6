/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distribution protocol (OCI distribution-spec 1.1) for one repository. Shared by the threads
 * of a transfer, each with its own `worker` number and connection. Bodies are verified here: what
 * comes back has the digest and size asked for.
 */
#ifndef BLD_STORE_TRANSPORT_REGISTRY_H
#define BLD_STORE_TRANSPORT_REGISTRY_H

#include <stdatomic.h>

#include "store/oci/oci.h"
#include "store/transport/auth.h"
#include "store/transport/http.h"

#define REGISTRY_WORKERS_MAX 8

struct registry_opts {
	const char *host; /* as in names: "docker.io", "127.0.0.1:5000" */
	const char *path; /* repository; NULL for login */
	const char *authfile;
	const char *cert_dir;
	const char *allow_private; /* as http_opts has it */
	int tls_verify;          /* -1: https; http only where a loopback registry speaks no TLS. 0:
				    anything. 1: https */
	unsigned retries;        /* as backoff_tries() has it */
	unsigned retry_delay_ms; /* between them; 0 = growing */
	bool push;
	const char *user; /* NULL = none; instead of stored credentials */
	const char *password;
	const atomic_int *cancelled;
	const atomic_int *stop;                      /* likewise; both may be NULL */
	void (*notify)(void *ctx, const char *text); /* from any thread */
	void *ctx;
};

struct registry;

/* Finds out whether it speaks https or http and what authentication it wants. ERR_NET, ERR_AUTH. */
struct registry *registry_open(const struct registry_opts *o, struct err **err);
void registry_close(struct registry *r);
const char *registry_host(const struct registry *r);
const char *registry_path(const struct registry *r);
unsigned registry_retries(const struct registry *r);

/* Is anybody with our credentials welcome? For login. */
int registry_check(struct registry *r, struct err **err);

/* Digest of what `ref` (a tag or digest) names now. */
int registry_resolve(struct registry *r, const char *ref, struct digest *out, struct err **err);
/* Bytes of a manifest or index; body empty and initialised; *media_type owned, may be NULL. ref
 * NULL: by want. */
int registry_manifest(struct registry *r, const char *ref, const struct digest *want,
	struct buf *body, char **media_type, struct err **err);
/* A blob into the sink (immutable, max = size). The digest is the caller's to check; the size is
 * checked here. */
int registry_blob(struct registry *r, unsigned worker, const struct oci_descriptor *d,
	struct http_sink *sink, struct err **err);

/* --- shared with registry_push.c --- */

/* One request with authorization, which goes to the registry's own origin only. */
int registry_call(struct registry *r, unsigned worker, const char *scope,
	const struct http_request *q, struct http_response *a, struct err **err);
struct http_session *registry_session(struct registry *r, unsigned worker);
char *registry_url(
	const struct registry *r, const char *kind, const char *ref); /* base/KIND/REF; owned */
char *registry_scope(const struct registry *r, const char *from);     /* owned */
/* An answer that is not what was hoped for, as an error with hints. Returns -1. */
int registry_fail(
	struct registry *r, const struct http_response *a, const char *what, struct err **err);

DEFINE_CLEANUP(struct registry *, registry_close);
#define auto_registry CLEANUP(registry_closep)

#endif
