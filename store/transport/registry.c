// SPDX-License-Identifier: Apache-2.0
/*
 * Authorization is settled per request: with what the registry asked for so far, and after a 401
 * once more with what it asks for then; a token that ends in the middle of a download is renewed
 * and the download goes on.
 */
#include "store/transport/registry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"
#include "store/transport/backoff.h"
#include "store/transport/reply.h"
#include "store/transport/secret.h"
#include "store/transport/url.h"

#define REGISTRY_AUTH_ROUNDS 4 /* challenges answered for one request */

struct registry {
	char *host, *path, *api_host, *cert_dir, *allow_private;
	char *base; /* "https://host" */
	struct url origin;
	bool https, insecure, push;
	unsigned retries;
	enum http_peer inside;
	struct auth *auth;
	struct http_opts http;
	struct http_session *sessions[REGISTRY_WORKERS_MAX];
};

struct http_session *registry_session(struct registry *r, unsigned worker)
{
	if (!r->sessions[worker])
		r->sessions[worker] = http_session_new(&r->http);
	return r->sessions[worker];
}

const char *registry_host(const struct registry *r)
{
	return r->host;
}

const char *registry_path(const struct registry *r)
{
	return r->path;
}

unsigned registry_retries(const struct registry *r)
{
	return backoff_tries(r->retries);
}

/* --- opening ---------------------------------------------------------------------------- */

static int set_base(struct registry *r, bool https, struct err **err)
{
	auto_free char *text = mem_printf("%s://%s", https ? "https" : "http", r->api_host);
	struct url u;

	if (url_parse(text, &u, err) < 0)
		return -1;
	url_clear(&r->origin);
	r->origin = u;
	free(r->base);
	r->base = TAKE(text);
	r->https = https;
	return 0;
}

static int ping(struct registry *r, bool once, struct http_response *a, struct err **err)
{
	auto_free char *url = mem_printf("%s/v2/", r->base);
	struct http_request q = {.method = "GET", .url = url, .once = once};

	return http_perform(registry_session(r, 0), &q, a, err);
}

/* Has http nothing to say where https failed? A port that speaks TLS does not speak http as well;
 * only without a port in the name it is another one. */
static bool has_no_http(const struct registry *r, const struct http_response *a)
{
	return a->failure == HTTP_BAD_CERT || a->failure == HTTP_LOCAL ||
	       (a->failure == HTTP_OTHER_TLS && r->origin.port != 443);
}

/* With http, since https failed for this reason. */
static int ping_http(
	struct registry *r, const struct err *https, struct http_response *a, struct err **err)
{
	auto_err struct err *e = NULL;

	if (set_base(r, false, err) < 0)
		return -1;
	if (ping(r, false, a, &e) == 0)
		return 0;
	if (a->failure != HTTP_BROKEN && a->failure != HTTP_NO_HTTP)
		return err_pass(err, &e);
	err_set(err, ERR_NET, "%s; asked with https: %s", err_text(e), err_text(https));
	return err_hint(err, "check the name and port: what answers there is no registry");
}

/* https where it is spoken; http where that is allowed. */
static int choose_scheme(
	struct registry *r, int tls_verify, struct http_response *a, struct err **err)
{
	bool may_http = tls_verify == 0 || (tls_verify < 0 && url_is_loopback(r->api_host));
	auto_err struct err *e = NULL;

	if (set_base(r, true, err) < 0)
		return -1;
	if (!may_http)
		return ping(r, false, a, err);
	if (ping(r, true, a, &e) == 0)
		return 0;
	return has_no_http(r, a) ? err_pass(err, &e) : ping_http(r, e, a, err);
}

static int registry_start(struct registry *r, const struct registry_opts *o, struct err **err)
{
	auto_http_response struct http_response a;
	struct auth_opts ao = {.host = r->host,
		.path = r->path,
		.api_host = r->api_host,
		.authfile = o->authfile,
		.user = o->user,
		.password = o->password};

	http_response_init(&a);
	if (choose_scheme(r, o->tls_verify, &a, err) < 0)
		return -1;
	ao.https = r->https;
	r->auth = auth_new(&ao);
	r->inside = a.inside;
	if (a.status == 401)
		return auth_refused(r->auth, &a, "", NULL, err) < 0 ? -1 : 0;
	if (a.status >= 500 || a.status == 429)
		return registry_fail(r, &a, r->host, err);
	return 0;
}

struct registry *registry_open(const struct registry_opts *o, struct err **err)
{
	auto_registry struct registry *r = mem_alloc(sizeof *r);

	r->host = mem_strdup(o->host);
	r->path = o->path ? mem_strdup(o->path) : NULL;
	r->api_host =
		mem_strdup(strcmp(o->host, "docker.io") == 0 ? "registry-1.docker.io" : o->host);
	r->cert_dir = o->cert_dir ? mem_strdup(o->cert_dir) : NULL;
	r->allow_private = o->allow_private ? mem_strdup(o->allow_private) : NULL;
	r->push = o->push;
	r->retries = o->retries;
	r->http = (struct http_opts){.cert_dir = r->cert_dir,
		.allow_private = r->allow_private,
		.insecure = o->tls_verify == 0,
		.retries = o->retries,
		.retry_delay_ms = o->retry_delay_ms,
		.cancelled = o->cancelled,
		.stop = o->stop,
		.notify = o->notify,
		.ctx = o->ctx};
	return registry_start(r, o, err) < 0 ? NULL : TAKE(r);
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < REGISTRY_WORKERS_MAX; i++)
		http_session_free(r->sessions[i]);
	auth_free(r->auth);
	url_clear(&r->origin);
	free(r->host);
	free(r->path);
	free(r->api_host);
	free(r->cert_dir);
	free(r->allow_private);
	free(r->base);
	free(r);
}

/* --- requests ----------------------------------------------------------------------------- */

char *registry_url(const struct registry *r, const char *kind, const char *ref)
{
	return mem_printf("%s/v2/%s/%s/%s", r->base, r->path, kind, ref);
}

char *registry_scope(const struct registry *r, const char *from)
{
	if (!r->path)
		return mem_strdup("");
	return mem_printf("repository:%s:%s%s%s%s", r->path, r->push ? "pull,push" : "pull",
		from ? " repository:" : "", from ? from : "", from ? ":pull" : "");
}

int registry_call(struct registry *r, unsigned worker, const char *scope,
	const struct http_request *q, struct http_response *a, struct err **err)
{
	struct http_session *s = registry_session(r, worker);
	auto_url struct url to = {0};
	bool ours;

	if (url_parse(q->url, &to, err) < 0)
		return -1;
	ours = url_same_origin(&to, &r->origin);
	for (int round = 0;; round++) {
		auto_secret struct secret *value = NULL;
		struct http_request with = *q;
		int again;

		if (ours && auth_value(r->auth, s, scope, &value, err) < 0)
			return -1;
		with.authorization = value ? secret_text(value) : NULL;
		/* For example where an answer said to upload. */
		if (!ours && !with.guarded) {
			with.guarded = true;
			with.inside = r->inside;
			with.guide = r->api_host;
		}
		if (http_perform(s, &with, a, err) < 0)
			return -1;
		if (a->status != 401 || !ours || round == REGISTRY_AUTH_ROUNDS)
			return 0;
		again = auth_refused(r->auth, a, scope, value, err);
		if (again < 0)
			return -1;
		if (again == 0)
			return 0;
	}
}

int registry_fail(
	struct registry *r, const struct http_response *a, const char *what, struct err **err)
{
	reply_error(a, what, err);
	if (a->status == 401 || a->status == 403)
		auth_hint(r->auth, err);
	return -1;
}

int registry_check(struct registry *r, struct err **err)
{
	auto_http_response struct http_response a;
	auto_free char *url = mem_printf("%s/v2/", r->base);
	struct http_request q = {.method = "GET", .url = url};

	http_response_init(&a);
	if (registry_call(r, 0, "", &q, &a, err) < 0)
		return -1;
	if (a.status != 200)
		return reply_error(&a, r->host, err);
	return 0;
}

/* --- manifests ----------------------------------------------------------------------------- */

static void add_accept(struct strlist *headers)
{
	static const char *const types[] = {OCI_MEDIA_MANIFEST, OCI_MEDIA_INDEX,
		OCI_MEDIA_DOCKER_MANIFEST, OCI_MEDIA_DOCKER_LIST};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		strlist_addf(headers, "Accept: %s", types[i]);
}

static char *registry_describe(const struct registry *r, const char *ref)
{
	return mem_printf("%s/%s%s%s", r->host, r->path, strchr(ref, ':') ? "@" : ":", ref);
}

static int call_manifest(struct registry *r, const char *method, const char *ref,
	struct http_response *a, struct err **err)
{
	auto_strlist struct strlist headers = {0};
	auto_free char *url = registry_url(r, "manifests", ref);
	auto_free char *scope = registry_scope(r, NULL);
	auto_free char *what = registry_describe(r, ref);
	struct http_request q = {
		.method = method, .url = url, .headers = &headers, .max_body = OCI_MANIFEST_MAX};

	add_accept(&headers);
	if (registry_call(r, 0, scope, &q, a, err) < 0)
		return err_prefix(err, "manifest of %s", what);
	return 0;
}

int registry_manifest(struct registry *r, const char *ref, const struct digest *want,
	struct buf *body, char **media_type, struct err **err)
{
	auto_http_response struct http_response a;
	char hex[DIGEST_STRING];
	const char *name = ref ? ref : sha256_string(want, hex);
	auto_free char *what = registry_describe(r, name);
	struct digest got, said;
	const char *h;

	http_response_init(&a);
	if (call_manifest(r, "GET", name, &a, err) < 0)
		return -1;
	if (a.status != 200)
		return registry_fail(r, &a, what, err);
	sha256_of(a.body.data, a.body.len, &got);
	h = http_header(&a, "docker-content-digest");
	if ((want && !sha256_equal(want, &got)) ||
		(!want && h && sha256_parse_string(h, &said) == 0 && !sha256_equal(&said, &got)))
		return err_set(err, ERR_CORRUPT,
			"%s: the manifest does not have the digest it should have", what);
	if (buf_add(body, a.body.data, a.body.len) < 0)
		return err_set(err, ERR_LIMIT, "%s: the manifest is larger than 4 MiB", what);
	h = http_header(&a, "content-type");
	*media_type = h ? mem_strndup(h, strcspn(h, "; \t")) : NULL;
	return 0;
}

int registry_resolve(struct registry *r, const char *ref, struct digest *out, struct err **err)
{
	auto_http_response struct http_response a;
	auto_buf struct buf body;
	auto_free char *type = NULL;
	const char *h;

	http_response_init(&a);
	buf_init(&body, OCI_MANIFEST_MAX);
	if (call_manifest(r, "HEAD", ref, &a, err) < 0)
		return -1;
	h = http_header(&a, "docker-content-digest");
	if (a.status == 200 && h && sha256_parse_string(h, out) == 0)
		return 0;
	/* No digest, or an error whose words only a GET brings. */
	if (registry_manifest(r, ref, NULL, &body, &type, err) < 0)
		return -1;
	sha256_of(body.data, body.len, out);
	return 0;
}

/* --- blobs ------------------------------------------------------------------------------------ */

/* A layer that the registry does not keep: from elsewhere, without credentials, verified like all
 * others. */
static int foreign_blob(struct registry *r, unsigned worker, const struct oci_descriptor *d,
	struct http_sink *sink, struct http_response *a, struct err **err)
{
	for (size_t i = 0; i < d->urls.n; i++) {
		struct http_request q = {.method = "GET",
			.url = d->urls.v[i],
			.sink = sink,
			.guarded = true,
			.inside = r->inside,
			.guide = r->api_host};
		auto_url struct url u = {0};

		if (url_parse(d->urls.v[i], &u, NULL) < 0 || u.has_user || (r->https && !u.https))
			continue;
		if (http_perform(registry_session(r, worker), &q, a, err) < 0)
			return -1;
		if (a->status == 200 || a->status == 206)
			return 0;
	}
	return 0;
}

int registry_blob(struct registry *r, unsigned worker, const struct oci_descriptor *d,
	struct http_sink *sink, struct err **err)
{
	auto_http_response struct http_response a;
	char hex[DIGEST_STRING];
	auto_free char *url = registry_url(r, "blobs", sha256_string(&d->digest, hex));
	auto_free char *scope = registry_scope(r, NULL);
	auto_free char *what = mem_printf("%s/%s: blob %s", r->host, r->path, hex);
	struct http_request q = {.method = "GET", .url = url, .sink = sink};

	http_response_init(&a);
	sink->immutable = true;
	sink->max = d->size;
	sink->over = ERR_CORRUPT;
	if (registry_call(r, worker, scope, &q, &a, err) < 0)
		return err_prefix(err, "blob %.19s", hex);
	if (a.status == 404 && d->urls.n > 0 && foreign_blob(r, worker, d, sink, &a, err) < 0)
		return err_prefix(err, "blob %.19s", hex);
	if (a.status != 200 && a.status != 206)
		return registry_fail(r, &a, what, err);
	if (sink->done != d->size)
		return err_set(err, ERR_CORRUPT, "%s has %llu bytes, the manifest says %llu", what,
			(unsigned long long)sink->done, (unsigned long long)d->size);
	return 0;
}
