// SPDX-License-Identifier: Apache-2.0
/*
 * Uploads of the distribution specification. A blob goes as one PUT; servers that refuse that, and
 * large blobs after a break, get PATCHes, and after each break the server is asked how far it got.
 * Each answer brings the address for the next request. An upload is tried again here and not in
 * http.c, because its place has to be found first.
 */
#include "store/transport/registry_push.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/transport/growing.h"
#include "store/transport/http.h"
#include "store/transport/reply.h"
#include "store/transport/url.h"

#define OCI_TYPE "application/vnd.oci."

int registry_push_has(struct registry *r, unsigned worker, const struct digest *d, struct err **err)
{
	auto_http_response struct http_response a;
	char hex[DIGEST_STRING];
	auto_free char *url = registry_url(r, "blobs", sha256_string(d, hex));
	auto_free char *scope = registry_scope(r, NULL);
	auto_free char *what = mem_printf("%s/%s", registry_host(r), registry_path(r));
	struct http_request q = {.method = "HEAD", .url = url};

	http_response_init(&a);
	if (registry_call(r, worker, scope, &q, &a, err) < 0)
		return -1;
	if (a.status == 200)
		return 1;
	/* Some registries answer a HEAD for a missing repository like for a forbidden one; the
	 * upload will tell. */
	return a.status == 404 ? 0 : registry_fail(r, &a, what, err);
}

/* --- an upload session -------------------------------------------------------------------- */

struct upload {
	struct registry *r;
	unsigned worker;
	const struct registry_push *p;
	struct growing *growing; /* where the content comes from while it is made, or NULL */
	int fd;
	uint64_t size; /* of what is there */
	char *scope, *what;
	char *location; /* where to send; NULL = no session */
	uint64_t piece; /* smallest piece the server takes, or ours */
	uint64_t base;  /* for progress: bytes sent by requests before this one */
	struct http_response a;
};

static void on_sent(void *ctx, uint64_t sent)
{
	struct upload *u = ctx;

	if (u->p->progress)
		u->p->progress(u->p->ctx, u->base + sent);
}

/* The Location of the answer becomes the next address. */
static int take_location(struct upload *u, struct err **err)
{
	const char *location = http_header(&u->a, "location");
	const char *least = http_header(&u->a, "oci-chunk-min-length");
	auto_url struct url base = {0}, to = {0};

	if (!location)
		return err_set(
			err, ERR_NET, "%s: the registry does not say where to upload", u->what);
	if (url_parse(u->a.url, &base, err) < 0 || url_resolve(&base, location, &to, err) < 0)
		return -1;
	if (base.https && !to.https)
		return err_set(err, ERR_NET, "%s: refused to upload without https", u->what);
	free(u->location);
	u->location = url_text(&to);
	if (least && isdigit((unsigned char)*least)) {
		unsigned long long v = strtoull(least, NULL, 10);
		if (v > u->piece && v <= REGISTRY_PUSH_PIECE_MAX)
			u->piece = v;
	}
	return 0;
}

static int call(struct upload *u, const char *method, const char *url, const char *range,
	const struct http_body *body, struct err **err)
{
	auto_strlist struct strlist headers = {0};
	struct http_request q = {.method = method,
		.url = url,
		.headers = &headers,
		.body = body,
		.once = strcmp(method, "POST") != 0,
		.progress = on_sent,
		.ctx = u};

	if (body)
		strlist_add(&headers, "Content-Type: application/octet-stream");
	if (range)
		strlist_addf(&headers, "Content-Range: %s", range);
	return registry_call(u->r, u->worker, u->scope, &q, &u->a, err);
}

/* 1: mounted, nothing is left to do. 0: a session is open. */
static int open_session(struct upload *u, bool mount, struct err **err)
{
	auto_free char *plain = registry_url(u->r, "blobs", "uploads/");
	auto_buf struct buf url;
	char hex[DIGEST_STRING];

	buf_init(&url, URL_MAX * 2);
	buf_adds(&url, plain);
	if (mount) {
		auto_free char *both = registry_scope(u->r, u->p->from);

		url_add_query(&url, "mount", sha256_string(&u->p->digest, hex));
		url_add_query(&url, "from", u->p->from);
		free(u->scope);
		u->scope = TAKE(both);
	}
	if (call(u, "POST", url.data, NULL, NULL, err) < 0)
		return -1;
	if (mount) {
		free(u->scope);
		u->scope = registry_scope(u->r, NULL);
	}
	if (mount && u->a.status == 201)
		return 1;
	if (mount && u->a.status != 202) /* not allowed there, or not understood */
		return open_session(u, false, err);
	if (u->a.status != 202)
		return registry_fail(u->r, &u->a, u->what, err);
	return take_location(u, err);
}

static void drop_session(struct upload *u)
{
	struct http_request q = {.method = "DELETE", .url = u->location, .once = true};
	auto_http_response struct http_response a;

	http_response_init(&a);
	if (u->location)
		(void)registry_call(u->r, u->worker, u->scope, &q, &a, NULL);
	free(u->location);
	u->location = NULL;
}

static int registry_push_finish(struct upload *u, const struct http_body *body, struct err **err)
{
	auto_buf struct buf url;
	char hex[DIGEST_STRING];

	buf_init(&url, URL_MAX * 2);
	buf_adds(&url, u->location);
	url_add_query(&url, "digest", sha256_string(&u->p->digest, hex));
	return call(u, "PUT", url.data, NULL, body, err);
}

static bool registry_push_done(const struct upload *u)
{
	return u->a.status == 201 || u->a.status == 204 || u->a.status == 200;
}

/* Where the server is, from "0-N": N + 1. */
static uint64_t server_offset(const struct upload *u, uint64_t otherwise)
{
	const char *range = http_header(&u->a, "range");
	const char *dash = range ? strchr(range, '-') : NULL;
	unsigned long long last;

	if (!dash || !isdigit((unsigned char)dash[1]))
		return otherwise;
	last = strtoull(dash + 1, NULL, 10);
	if (last >= u->size)
		return otherwise;
	/* "0-0" is also what an empty session says. */
	return last == 0 ? 0 : last + 1;
}

static bool worth_retrying(const struct upload *u, int rc)
{
	if (rc < 0)
		return u->a.failure == HTTP_BROKEN || u->a.failure == HTTP_NO_CONNECTION;
	return http_perform_again(u->a.status) || (u->a.status == 404 && u->size > 0);
}

/*
 * After a failed attempt: wait, or give up with its error. Without an error the answer's status was
 * bad.
 */
static int again(struct upload *u, unsigned attempt, int rc, struct err **e, struct err **err)
{
	if (!worth_retrying(u, rc) || attempt >= registry_retries(u->r)) {
		if (rc < 0 && err)
			*err = TAKE(*e);
		return rc < 0 ? -1 : registry_fail(u->r, &u->a, u->what, err);
	}
	return http_perform_wait(
		registry_session(u->r, u->worker), u->what, &u->a, attempt, *e, err);
}

/* One PATCH at *off; moves *off where the server is then. 1 = it did, 0 = it failed (*rc, *e tell
 * how), -1. */
static int send_piece(struct upload *u, uint64_t *off, int *rc, struct err **e, struct err **err)
{
	uint64_t left = u->size - *off, n = left < u->piece ? left : u->piece, next;
	struct http_body body = {.fd = u->fd, .off = *off, .size = n};
	auto_free char *range = mem_printf(
		"%llu-%llu", (unsigned long long)*off, (unsigned long long)(*off + n - 1));

	u->base = *off;
	*rc = call(u, "PATCH", u->location, range, &body, e);
	if (*rc < 0 || (u->a.status != 202 && u->a.status != 201 && u->a.status != 204))
		return 0;
	next = server_offset(u, *off + n);
	if (take_location(u, err) < 0)
		return -1;
	if (next <= *off)
		return err_set(err, ERR_NET, "%s: the upload does not move on", u->what);
	*off = next;
	return 1;
}

/* Where is the server? */
static int ask_offset(struct upload *u, uint64_t *off, struct err **err)
{
	if (call(u, "GET", u->location, NULL, NULL, err) < 0)
		return -1;
	if (u->a.status != 204 && u->a.status != 202 && u->a.status != 200)
		return registry_fail(u->r, &u->a, u->what, err);
	*off = server_offset(u, 0);
	return http_header(&u->a, "location") ? take_location(u, err) : 0;
}

/* Is there something to send from off on? A piece of what is still being made is a full one. */
static bool await_piece(struct upload *u, uint64_t off)
{
	bool ended = true;

	if (u->growing)
		ended = growing_wait(u->growing, off + u->piece, &u->size);
	return ended && u->growing ? false : off < u->size;
}

/* PATCH by PATCH from *at on; after a break the server is asked how far it got. Of what is being
 * made all full pieces until it is whole. */
static int send_pieces_from(struct upload *u, uint64_t *at, struct err **err)
{
	uint64_t off = *at;
	unsigned attempt = 0;

	while (await_piece(u, off)) {
		auto_err struct err *e = NULL;
		int rc = 0, moved = send_piece(u, &off, &rc, &e, err);

		if (moved < 0)
			return -1;
		if (moved) {
			attempt = 0;
			continue;
		}
		if (rc == 0 && u->a.status == 416 && attempt < registry_retries(u->r))
			attempt++;
		else if (again(u, attempt++, rc, &e, err) < 0)
			return -1;
		if (ask_offset(u, &off, err) < 0)
			return -1;
	}
	*at = off;
	return 0;
}

static int end_pieces(struct upload *u, struct err **err)
{
	u->base = u->size;
	if (registry_push_finish(u, NULL, err) < 0)
		return -1;
	return registry_push_done(u) ? 0 : registry_fail(u->r, &u->a, u->what, err);
}

static int send_pieces(struct upload *u, struct err **err)
{
	uint64_t off = 0;

	return send_pieces_from(u, &off, err) < 0 ? -1 : end_pieces(u, err);
}

/* Refused as a whole, for a reason that pieces may not have. */
static bool wants_pieces(const struct upload *u)
{
	switch (u->a.status) {
	case 405:
	case 411:
	case 413:
	case 415:
	case 501:
		return u->size > 0;
	case 400:
		return u->size > 0 && !reply_has_code(&u->a, "DIGEST_INVALID");
	default:
		return false;
	}
}

static int send_whole(struct upload *u, struct err **err)
{
	struct http_body body = {.fd = u->fd, .size = u->size};

	for (unsigned attempt = 0;; attempt++) {
		auto_err struct err *e = NULL;
		int rc;

		u->base = 0;
		rc = registry_push_finish(u, u->size ? &body : NULL, &e);
		if (rc == 0 && registry_push_done(u))
			return 0;
		if (rc == 0 && wants_pieces(u)) {
			drop_session(u);
			return open_session(u, false, err) < 0 ? -1 : send_pieces(u, err);
		}
		if (again(u, attempt, rc, &e, err) < 0)
			return -1;
		drop_session(u);
		if (open_session(u, false, err) < 0)
			return -1;
		/* What is large and broke once is sent so that the next break costs one piece. */
		if (rc < 0 && u->size > REGISTRY_PUSH_PIECE)
			return send_pieces(u, err);
	}
}

int registry_push_blob(
	struct registry *r, unsigned worker, const struct registry_push *p, struct err **err)
{
	struct upload u = {.r = r,
		.worker = worker,
		.p = p,
		.fd = p->fd,
		.size = p->size,
		.piece = REGISTRY_PUSH_PIECE};
	char hex[DIGEST_STRING];
	int rc;

	u.what = mem_printf("%s/%s: blob %s", registry_host(r), registry_path(r),
		sha256_string(&p->digest, hex));
	u.scope = registry_scope(r, NULL);
	http_response_init(&u.a);
	rc = open_session(&u, p->from != NULL, err);
	if (rc == 0) {
		rc = send_whole(&u, err);
		if (rc < 0)
			drop_session(&u);
	}
	free(u.what);
	free(u.scope);
	free(u.location);
	http_response_clear(&u.a);
	return rc;
}

/* --- while it is made ----------------------------------------------------------------------- */

/* The server did not like what it got, and may like it otherwise. */
static bool refuses_pieces(const struct upload *u)
{
	return u->a.failure == HTTP_ANSWERED && u->a.status >= 400 && u->a.status < 500 &&
	       u->a.status != 401 && u->a.status != 403;
}

/* It is whole: what is left, and its name. */
static int send_rest(struct upload *u, uint64_t off, struct err **err)
{
	int has = 0;

	u->growing = NULL;
	/* One question may save all the rest. */
	if (u->size - off > u->piece)
		has = registry_push_has(u->r, u->worker, &u->p->digest, err);
	if (has != 0)
		return has;
	return send_pieces_from(u, &off, err) < 0 ? -1 : end_pieces(u, err);
}

/* The pieces that there are while it is made; then its end, if it is good. 1 = the registry has it
 * already, 0, REGISTRY_PUSH_LATER, -1. */
static int registry_push_send_growing(struct upload *u, struct registry_push *p, struct err **err)
{
	struct growing *g = u->growing;
	uint64_t off = 0;

	if (send_pieces_from(u, &off, err) < 0)
		return -1;
	if (!g->good)
		return REGISTRY_PUSH_LATER;
	p->digest = g->digest;
	return send_rest(u, off, err);
}

/* A refusal may come at any piece: the layer can end before the first of them is sent. */
static int push_growing(struct upload *u, struct registry_push *p, struct err **err)
{
	auto_err struct err *e = NULL;
	int rc = open_session(u, false, err);

	if (rc < 0)
		return -1;
	rc = registry_push_send_growing(u, p, &e);
	if (rc != 0)
		drop_session(u);
	if (rc < 0 && refuses_pieces(u))
		return REGISTRY_PUSH_LATER;
	if (rc < 0 && err)
		*err = TAKE(e);
	return rc;
}

int registry_push_growing(struct registry *r, unsigned worker, struct growing *g,
	void (*progress)(void *ctx, uint64_t sent), void *ctx, struct err **err)
{
	struct registry_push p = {.progress = progress, .ctx = ctx};
	struct upload u = {
		.r = r, .worker = worker, .p = &p, .growing = g, .piece = REGISTRY_PUSH_PIECE};
	int rc;

	if (growing_wait(g, u.piece, &u.size))
		return REGISTRY_PUSH_LATER;
	u.fd = g->fd;
	u.what = mem_printf("%s/%s: a layer", registry_host(r), registry_path(r));
	u.scope = registry_scope(r, NULL);
	http_response_init(&u.a);
	rc = push_growing(&u, &p, err);
	free(u.what);
	free(u.scope);
	free(u.location);
	http_response_clear(&u.a);
	return rc;
}

/* --- manifests ------------------------------------------------------------------------------ */

static bool is_oci(const char *media_type)
{
	return strncmp(media_type, OCI_TYPE, strlen(OCI_TYPE)) == 0;
}

/*
 * May the answer mean that OCI's types are unknown? 415 says so. Registries that are older than the
 * question say MANIFEST_INVALID, TAG_INVALID (they look for the tag in the manifest) or
 * UNSUPPORTED, with whatever status, or 400 and no code at all.
 */
static bool refuses_types(const struct http_response *a, const char *media_type)
{
	if (!is_oci(media_type))
		return false;
	if (a->status == 415)
		return true;
	if (a->status < 400 || a->status >= 500 || a->status == 401 || a->status == 403)
		return false;
	return reply_has_code(a, "MANIFEST_INVALID") || reply_has_code(a, "TAG_INVALID") ||
	       reply_has_code(a, "UNSUPPORTED") || (a->status == 400 && !reply_has_code(a, NULL));
}

int registry_push_manifest(
	struct registry *r, const struct registry_document *doc, bool *refused, struct err **err)
{
	auto_http_response struct http_response a;
	auto_strlist struct strlist headers = {0};
	char hex[DIGEST_STRING];
	struct digest d;
	auto_free char *url = NULL;
	auto_free char *scope = registry_scope(r, NULL);
	auto_free char *what = NULL;
	struct http_body body = {.mem = doc->bytes, .size = doc->n};
	struct http_request q = {.method = "PUT", .headers = &headers, .body = &body};

	http_response_init(&a);
	sha256_of(doc->bytes, doc->n, &d);
	sha256_string(&d, hex);
	url = registry_url(r, "manifests", doc->ref ? doc->ref : hex);
	what = mem_printf("%s/%s%s%s", registry_host(r), registry_path(r), doc->ref ? ":" : "@",
		doc->ref ? doc->ref : hex);
	q.url = url;
	strlist_addf(&headers, "Content-Type: %s", doc->media_type);
	if (registry_call(r, 0, scope, &q, &a, err) < 0)
		return err_prefix(err, "manifest of %s", what);
	if (a.status >= 200 && a.status < 300)
		return 0;
	registry_fail(r, &a, what, err);
	bool types = refuses_types(&a, doc->media_type);
	if (types && refused)
		*refused = true;
	if (!types && !(a.status == 400 && is_oci(doc->media_type)))
		return -1;
	return err_hint(err,
		"the registry may not take OCI's media types: --format docker, or --format auto to "
		"try both");
}
