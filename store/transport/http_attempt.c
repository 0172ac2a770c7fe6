// SPDX-License-Identifier: Apache-2.0
/*
 * One attempt is one curl_easy_perform; around it go redirects, around these the retries, so a
 * redirect target that broke is asked for anew at the registry. libcurl follows nothing by itself
 * and gets Authorization as a plain header, which makes "only to this origin" our decision alone.
 * Cancelling is noticed by the progress callback, which libcurl calls at least once a second.
 */
#include "store/transport/http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "store/base/cancel.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/transport/certs.h"
#include "store/transport/curllib.h"
#include "store/transport/http_failure.h"
#include "store/transport/peer.h"
#include "store/transport/route.h"
#include "store/transport/url.h"

struct http_session {
	const struct curllib *lib; /* NULL before the first attempt */
	CURL *curl;
	struct http_opts o;
	char *cert_dir;      /* owned copy for o.cert_dir */
	char *allow_private; /* likewise */
	char *certs_host;    /* host:port that `certs` is for; owned */
	struct certs certs;
};

/* One attempt: what the callbacks need. */
struct attempt {
	struct http_session *s;
	const struct http_request *q;
	struct http_response *r;
	const struct url *url;
	const char *proxy; /* NULL: straight to the host; borrowed */
	struct curl_slist *headers;
	char text[CURL_ERROR_SIZE];
	size_t header_bytes;
	uint64_t sent;
	bool started;                /* the first byte of a sink's body was seen */
	bool body_cut;               /* enough of an error's body was kept */
	bool refused;                /* the address is further inside than allowed ... */
	enum http_peer refused_peer; /* ... for it is this */
	struct err *err;             /* from a callback */
};

struct http_session *http_session_new(const struct http_opts *o)
{
	struct http_session *s = mem_alloc(sizeof *s);

	s->o = *o;
	s->cert_dir = o->cert_dir ? mem_strdup(o->cert_dir) : NULL;
	s->o.cert_dir = s->cert_dir;
	s->allow_private = o->allow_private ? mem_strdup(o->allow_private) : NULL;
	s->o.allow_private = s->allow_private;
	return s;
}

void http_session_free(struct http_session *s)
{
	if (!s)
		return;
	if (s->curl)
		s->lib->easy_cleanup(s->curl);
	certs_clear(&s->certs);
	free(s->certs_host);
	free(s->cert_dir);
	free(s->allow_private);
	free(s);
}

const struct http_opts *http_session_opts(const struct http_session *s)
{
	return &s->o;
}

bool http_cancelled(const struct http_session *s)
{
	return cancel_asked(s->o.cancelled) || cancel_asked(s->o.stop);
}

/* --- callbacks -------------------------------------------------------------------------------- */

/* One line without its end: "Name: value" is kept with the name in lower case. */
static void keep_header(struct http_response *r, const char *p, size_t len)
{
	const char *colon = memchr(p, ':', len), *end = p + len, *value;
	char *name;

	if (!colon || colon == p || memchr(p, '\0', len))
		return;
	value = colon + 1;
	name = mem_strndup(p, (size_t)(colon - p));
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	strlist_addf(&r->headers, "%s: %.*s", name, (int)(end - value), value);
	free(name);
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct attempt *a = ctx;
	size_t len = size * n;

	a->header_bytes += len;
	if (a->header_bytes > HTTP_HEADER_MAX) {
		err_set(&a->err, ERR_LIMIT, "the server sends more than 64 KiB of headers");
		return 0;
	}
	while (len > 0 && (p[len - 1] == '\r' || p[len - 1] == '\n' || p[len - 1] == ' '))
		len--;
	if (len >= 5 && strncasecmp(p, "HTTP/", 5) == 0) /* a new answer, e.g. after 100 */
		strlist_clear(&a->r->headers);
	else
		keep_header(a->r, p, len);
	return size * n;
}

/* Body of an answer that is not streamed: all of a good one, the beginning of a bad one. */
static size_t keep_body(struct attempt *a, const char *p, size_t len, bool good)
{
	struct buf *b = &a->r->body;
	const char *said = http_header(a->r, "content-length");
	size_t room = b->max - b->len;
	bool too_much = len > room || (b->len == 0 && said && strtoull(said, NULL, 10) > room);

	if (good && too_much) {
		err_set(&a->err, ERR_LIMIT, "%s sends more than %zu bytes", a->url->host, b->max);
		return 0;
	}
	a->body_cut = len > room;
	buf_add(b, p, a->body_cut ? room : len);
	return a->body_cut ? 0 : len;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct attempt *a = ctx;
	struct http_sink *k = a->q->sink;
	size_t len = size * n;
	long status = 0;
	bool good;

	a->s->lib->easy_getinfo(a->s->curl, CURLINFO_RESPONSE_CODE, &status);
	good = status >= 200 && status < 300;
	if (!k || !good)
		return keep_body(a, p, len, good);
	if (!a->started && http_sink_start(k, a->r, (int)status, a->url->host, &a->err) < 0)
		return 0;
	a->started = true;
	return http_sink_bytes(k, p, len, a->url->host, &a->err) < 0 ? 0 : len;
}

static size_t on_send(char *p, size_t size, size_t n, void *ctx)
{
	struct attempt *a = ctx;
	const struct http_body *b = a->q->body;
	uint64_t left = b->size - a->sent;
	size_t want = size * n < left ? size * n : (size_t)left;

	if (want == 0)
		return 0;
	if (b->mem) {
		memcpy(p, (const char *)b->mem + a->sent, want);
	} else if (fs_pread_all(b->fd, p, want, b->off + a->sent) < 0) {
		err_sys(&a->err, "reading what is to be sent");
		return CURL_READFUNC_ABORT;
	}
	a->sent += want;
	if (a->q->progress)
		a->q->progress(a->q->ctx, a->sent);
	return want;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct attempt *a = ctx;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > a->q->body->size)
		return CURL_SEEKFUNC_FAIL;
	a->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int on_progress(void *ctx, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
	struct attempt *a = ctx;

	(void)dt, (void)dn, (void)ut, (void)un;
	if (!http_cancelled(a->s))
		return 0;
	if (!a->err)
		err_set(&a->err, ERR_CANCELLED, "cancelled");
	return 1;
}

/* May this request go there? What a proxy is connected to is its own matter, and http_attempt looks
 * at the name before. */
static bool may_go(struct attempt *a, enum http_peer peer)
{
	if (!a->q->guarded || a->proxy || peer_allowed(peer, a->q->inside))
		return true;
	a->refused = true;
	a->refused_peer = peer;
	return false;
}

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct attempt *a = ctx;

	(void)purpose;
	if (!may_go(a, peer_of_address(&addr->addr)))
		return CURL_SOCKET_BAD;
	return socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
}

/* Connected, and nothing of the request was sent. */
static int on_ready(void *ctx, char *ip, char *own_ip, int port, int own_port)
{
	(void)own_ip, (void)port, (void)own_port;
	return may_go(ctx, peer_of_text(ip)) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* --- one attempt ------------------------------------------------------------------------ */

static void add_header(struct attempt *a, const char *line)
{
	struct curl_slist *l = a->s->lib->slist_append(a->headers, line);
	if (l)
		a->headers = l;
}

static void http_attempt_add_range(struct attempt *a)
{
	struct http_sink *k = a->q->sink;
	bool strong = k && k->etag && k->etag[0] == '"';
	char line[64];

	if (!k || k->done == 0 || k->no_range || !(k->immutable || strong))
		return;
	snprintf(line, sizeof line, "Range: bytes=%llu-", (unsigned long long)k->done);
	add_header(a, line);
	if (!k->immutable) {
		auto_free char *cond = mem_printf("If-Range: %s", k->etag);
		add_header(a, cond);
	}
}

static void set_headers(struct attempt *a, bool same_origin)
{
	const struct http_request *q = a->q;

	add_header(a, "User-Agent: bld/" BLD_VERSION);
	add_header(a, "Accept-Encoding: identity"); /* blobs are hashed as they are stored */
	add_header(a, "Expect:"); /* the session was authorised before; no extra round trip */
	for (size_t i = 0; q->headers && i < q->headers->n; i++)
		add_header(a, q->headers->v[i]);
	if (q->authorization && same_origin) {
		auto_free char *line = mem_printf("Authorization: %s", q->authorization);
		add_header(a, line);
		explicit_bzero(line, strlen(line));
	}
	http_attempt_add_range(a);
	a->s->lib->easy_setopt(a->s->curl, CURLOPT_HTTPHEADER, a->headers);
}

static void free_headers(struct attempt *a)
{
	for (struct curl_slist *l = a->headers; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	a->s->lib->slist_free_all(a->headers);
	a->headers = NULL;
}

static void set_body(struct attempt *a)
{
	const struct curllib *lib = a->s->lib;
	CURL *c = a->s->curl;
	const struct http_body *b = a->q->body;
	const char *m = a->q->method;

	if (strcmp(m, "HEAD") == 0) {
		lib->easy_setopt(c, CURLOPT_NOBODY, 1L);
	} else if (strcmp(m, "POST") == 0 || strcmp(m, "PUT") == 0 || strcmp(m, "PATCH") == 0) {
		if (b && b->size > 0) {
			lib->easy_setopt(c, CURLOPT_UPLOAD, 1L);
			lib->easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)b->size);
			lib->easy_setopt(c, CURLOPT_READFUNCTION, on_send);
			lib->easy_setopt(c, CURLOPT_READDATA, a);
			lib->easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
			lib->easy_setopt(c, CURLOPT_SEEKDATA, a);
		} else {
			lib->easy_setopt(c, CURLOPT_POST, 1L);
			lib->easy_setopt(c, CURLOPT_POSTFIELDS, "");
			lib->easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0L);
			add_header(a, "Content-Type:");
		}
		lib->easy_setopt(c, CURLOPT_CUSTOMREQUEST, m);
	} else {
		lib->easy_setopt(c, CURLOPT_HTTPGET, 1L);
		if (strcmp(m, "GET") != 0)
			lib->easy_setopt(c, CURLOPT_CUSTOMREQUEST, m);
	}
	lib->easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)HTTP_STALL_SPEED);
	lib->easy_setopt(
		c, CURLOPT_LOW_SPEED_TIME, (long)(b && b->size ? HTTP_STALL_SEND_S : HTTP_STALL_S));
}

static int set_tls(struct http_session *s, const struct url *u, struct err **err)
{
	auto_free char *host = url_host_port(u);
	const struct curllib *lib = s->lib;
	CURL *c = s->curl;

	lib->easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	lib->easy_setopt(c, CURLOPT_SSL_VERIFYPEER, s->o.insecure ? 0L : 1L);
	lib->easy_setopt(c, CURLOPT_SSL_VERIFYHOST, s->o.insecure ? 0L : 2L);
	if (!u->https)
		return 0;
	if (!s->certs_host || strcmp(s->certs_host, host) != 0) {
		struct certs fresh;

		if (certs_load(s->o.cert_dir, host, &fresh, err) < 0)
			return -1;
		certs_clear(&s->certs);
		s->certs = fresh;
		free(s->certs_host);
		s->certs_host = TAKE(host);
	}
	if (s->certs.authorities.len > 0) {
		/* Replaces the bundle; the system's hashed directory stays in force. */
		struct curl_blob blob = {.data = s->certs.authorities.data,
			.len = s->certs.authorities.len,
			.flags = CURL_BLOB_COPY};
		lib->easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (s->certs.cert) {
		lib->easy_setopt(c, CURLOPT_SSLCERT, s->certs.cert);
		lib->easy_setopt(c, CURLOPT_SSLKEY, s->certs.key);
	}
	return 0;
}

/*
 * The way that was chosen, which libcurl is not to choose again, and who looks at it: on_socket
 * before a connection is made, on_ready also where one is used again that other rules were for.
 */
static void set_route(struct attempt *a)
{
	const struct curllib *lib = a->s->lib;
	CURL *c = a->s->curl;

	lib->easy_setopt(c, CURLOPT_PROXY, a->proxy ? a->proxy : "");
	lib->easy_setopt(c, CURLOPT_NOPROXY, "");
	lib->easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	lib->easy_setopt(c, CURLOPT_OPENSOCKETDATA, a);
	lib->easy_setopt(c, CURLOPT_PREREQFUNCTION, on_ready);
	lib->easy_setopt(c, CURLOPT_PREREQDATA, a);
}

static void set_common(struct attempt *a, const char *url)
{
	const struct curllib *lib = a->s->lib;
	CURL *c = a->s->curl;

	lib->easy_setopt(c, CURLOPT_URL, url);
	lib->easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	lib->easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	lib->easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	lib->easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_S);
	lib->easy_setopt(c, CURLOPT_ERRORBUFFER, a->text);
	lib->easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	lib->easy_setopt(c, CURLOPT_HEADERDATA, a);
	lib->easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	lib->easy_setopt(c, CURLOPT_WRITEDATA, a);
	lib->easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	lib->easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	lib->easy_setopt(c, CURLOPT_XFERINFODATA, a);
	lib->easy_setopt(c, CURLOPT_BUFFERSIZE, (long)HTTP_RECEIVE_BUFFER);
	lib->easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, (long)HTTP_SEND_BUFFER);
	set_route(a);
}

/* TLS may write to a closed socket with plain write(2), and the program's disposition is not ours.
 */
static CURLcode perform(struct http_session *s)
{
	sigset_t pipe, old;
	const struct timespec now = {0};
	CURLcode rc;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &old);
	rc = s->lib->easy_perform(s->curl);
	if (!sigismember(&old, SIGPIPE)) {
		while (sigtimedwait(&pipe, NULL, &now) > 0)
			;
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	return rc;
}

static int http_attempt_refuse(const struct attempt *a, enum http_peer peer, struct err **err)
{
	auto_free char *host = url_host_port(a->url);

	err_set(err, ERR_AUTH,
		"%s: the server asked points there, but that address is private to this machine or "
		"network",
		host);
	if (peer == HTTP_PEER_PRIVATE && a->q->inside == HTTP_PEER_PUBLIC && a->q->guide)
		err_hint(err,
			"if the server inside is meant to be used: --allow-private %s, or "
			"BLD_ALLOW_PRIVATE=%s",
			a->q->guide, a->q->guide);
	return -1;
}

/* libcurl's words. */
static const char *http_attempt_said(const struct attempt *a, CURLcode rc)
{
	return *a->text ? a->text : a->s->lib->easy_strerror(rc);
}

static int http_attempt_explain(struct attempt *a, CURLcode rc, struct err **err)
{
	auto_free char *host = url_host_port(a->url);

	if (a->refused)
		return http_attempt_refuse(a, a->refused_peer, err);
	return http_failure_explain(
		rc, http_attempt_said(a, rc), host, a->url->https, a->s->o.written, err);
}

/* libcurl and this session's handle, without anything of the request before. */
static int prepare_handle(struct http_session *s, struct err **err)
{
	if (!s->lib)
		s->lib = curllib_get(err);
	if (!s->lib)
		return -1;
	if (!s->curl)
		s->curl = s->lib->easy_init();
	if (!s->curl)
		return err_set(err, ERR_SYS, "the HTTP library cannot be started");
	s->lib->easy_reset(s->curl);
	return 0;
}

static void reset_response(struct http_response *r, size_t max_body)
{
	strlist_clear(&r->headers);
	buf_clear(&r->body);
	buf_init(&r->body, max_body > HTTP_ERROR_MAX ? max_body : HTTP_ERROR_MAX);
	r->status = 0;
	r->failure = HTTP_LOCAL;
}

/* What the transfer and the callbacks say together. */
static int http_attempt_outcome(struct attempt *a, CURLcode rc, struct err **err)
{
	if (rc == CURLE_WRITE_ERROR && a->body_cut)
		rc = CURLE_OK;
	if (rc == CURLE_OK && !a->err && a->started)
		(void)http_sink_end(a->q->sink, a->url->host, &a->err);
	if (a->err) {
		if (err)
			*err = a->err;
		else
			err_free(a->err);
		return -1;
	}
	a->r->failure = a->refused ? HTTP_LOCAL : http_failure_of(rc, http_attempt_said(a, rc));
	return rc == CURLE_OK ? 0 : http_attempt_explain(a, rc, err);
}

/* What a public server points to may be private where the caller says so; this machine and
 * link-local addresses are never meant. */
static enum http_peer http_attempt_inside(const struct attempt *a, enum http_peer peer)
{
	bool meant = url_listed(a->s->o.allow_private, a->url->host, a->url->port);

	return meant && peer == HTTP_PEER_PUBLIC ? HTTP_PEER_PRIVATE : peer;
}

int http_attempt(struct http_session *s, const struct http_request *q, const struct url *u,
	bool same_origin, struct http_response *r, struct err **err)
{
	auto_free char *url = url_text(u);
	struct attempt a = {.s = s, .q = q, .r = r, .url = u, .proxy = route_proxy(u)};
	CURLcode rc;
	char *ip = NULL;
	long status = 0;

	reset_response(r, q->max_body);
	if (a.proxy && q->guarded && !peer_allowed(route_peer_behind(u->host), q->inside))
		return http_attempt_refuse(&a, route_peer_behind(u->host), err);
	if (prepare_handle(s, err) < 0)
		return -1;
	set_common(&a, url);
	if (set_tls(s, u, err) < 0)
		return -1;
	set_body(&a);
	set_headers(&a, same_origin);
	rc = perform(s);
	s->lib->easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	s->lib->easy_getinfo(s->curl, CURLINFO_PRIMARY_IP, &ip);
	r->peer = a.proxy ? route_peer_behind(u->host) : peer_of_text(ip);
	r->inside = http_attempt_inside(&a, r->peer);
	free_headers(&a);
	if (http_attempt_outcome(&a, rc, err) < 0)
		return -1;
	r->status = (int)status;
	return 0;
}
