/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as the registry client needs them. A session is one connection pool for one thread; a
 * request is tried until it is answered, with back-off (backoff.h) and redirects (at most 5, never
 * https -> http, never further inside than the server that sends one but where the caller allows
 * it). What is sent to another
 * origin carries no Authorization. Whether a proxy of the environment is used: route.h. Answers of
 * status 429 and 5xx are retried; other answers, good or bad, are returned: only "no answer" is an
 * error here.
 */
#ifndef BLD_STORE_TRANSPORT_HTTP_H
#define BLD_STORE_TRANSPORT_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "store/base/buf.h"
#include "store/base/sha256.h"
#include "store/base/strlist.h"
#include "store/transport/download.h"

#define HTTP_HEADER_MAX     ((size_t)64 << 10)  /* bytes of all headers of one answer */
#define HTTP_ERROR_MAX      ((size_t)64 << 10)  /* bytes kept of the body of an error */
#define HTTP_RECEIVE_BUFFER ((size_t)512 << 10) /* of a session; the most that libcurl takes */
#define HTTP_SEND_BUFFER    ((size_t)2 << 20)   /* likewise, when it sends */
#define HTTP_REDIRECTS_MAX  5
#define HTTP_STALL_SPEED                                                                           \
	1024 /* bytes per second, for HTTP_STALL_S: slower is a broken connection */
#define HTTP_STALL_S 60
#define HTTP_STALL_SEND_S                                                                          \
	300              /* while sending: the server may hash what it has got before it answers */
#define HTTP_STUCK     2 /* breaks in a row at the very same byte: that is what the server has */
#define HTTP_CONNECT_S 30

struct http_opts {
	const char *cert_dir; /* certificates for `host`; NULL = certs.d in the usual places */
	const char
		*allow_private; /* hosts, by commas, that may point to private addresses; or NULL */
	bool written;  /* URLs are as somebody wrote them, not made from the name of a registry */
	bool insecure; /* any certificate will do */
	unsigned retries;            /* as backoff_tries() has it */
	unsigned retry_delay_ms;     /* between them; 0 = growing */
	const atomic_int *cancelled; /* may be NULL */
	const atomic_int *stop;      /* another reason to cancel; may be NULL */
	void (*notify)(
		void *ctx, const char *text); /* a retry: why, and how long it waits; may be NULL */
	void *ctx;
};

/* Where an address is. A realm or a foreign URL must not lead further inside than the registry
 * itself is. */
enum http_peer {
	HTTP_PEER_PUBLIC,
	HTTP_PEER_PRIVATE,
	HTTP_PEER_LOOPBACK,
	HTTP_PEER_LINK_LOCAL, /* includes the metadata services of clouds */
};

/* Where the body of a 2xx goes. It survives attempts and requests: a broken download goes on where
 * it was. */
struct http_sink {
	struct io_writer out;
	uint64_t max;       /* more bytes are an error ... */
	enum err_kind over; /* ... of this kind */
	bool immutable;     /* the content is named by its digest, so a Range of it needs no ETag */
	void (*progress)(void *ctx, uint64_t done); /* may be NULL */
	void *ctx;
	/* state, zero at first */
	uint64_t done;      /* bytes given to out */
	struct sha256 hash; /* of these; compared when a server sends them again */
	char *etag;         /* owned */
	bool no_range;      /* the server refused one */
	uint64_t replay;    /* bytes still to come that are in `hash` already */
	struct sha256 replay_hash;
};
void http_sink_init(struct http_sink *s, struct io_writer out, uint64_t max, enum err_kind over);
void http_sink_clear(struct http_sink *s);
/* Of all bytes given to `out` so far. */
void http_sink_digest(const struct http_sink *s, struct digest *out);

struct http_body {
	const void *mem; /* this ... */
	int fd;          /* ... or, when mem is NULL, this file from off on */
	uint64_t off;
	uint64_t size;
};

struct http_request {
	const char *method; /* GET HEAD POST PUT PATCH DELETE */
	const char *url;
	const struct strlist *headers; /* "Name: value"; may be NULL */
	const char *authorization;     /* the whole value; goes to url's origin only; may be NULL */
	const struct http_body *body;  /* NULL = none (POST, PUT, PATCH: length 0) */
	struct http_sink *sink;        /* NULL = body into the response */
	size_t max_body;               /* of a 2xx body in the response: more is ERR_LIMIT */
	bool once;                     /* no retries (probes, steps of an upload) */
	bool secret_body;              /* a redirect is an error: the body goes to url only */
	bool guarded;                  /* no address further inside than `inside`; where a redirect
					* leads is guarded always, by where the first answer was */
	enum http_peer inside;
	const char *guide; /* guarded: "host" or "host:port" that pointed there */
	void (*progress)(void *ctx, uint64_t sent); /* of the request body; may be NULL */
	void *ctx;
};

enum http_failure {
	HTTP_ANSWERED,
	HTTP_NO_CONNECTION, /* refused, unreachable, unknown host */
	HTTP_NO_TLS,        /* connected, but this is no TLS server */
	HTTP_OTHER_TLS,     /* a TLS server, but it and we have no TLS in common */
	HTTP_BAD_CERT,      /* the certificate does not convince us, or ours does not convince it */
	HTTP_NO_HTTP,       /* connected, but this is no HTTP server */
	HTTP_BROKEN,        /* the connection broke or stalled */
	HTTP_LOCAL,         /* our side: cancelled, writer, limit */
};

struct http_response {
	int status;
	struct strlist headers; /* "name: value", names in lower case; of the last answer */
	struct buf body;
	char *url;             /* that answered, after redirects; owned */
	enum http_peer peer;   /* where it is; behind a proxy what the name says (route.h) */
	enum http_peer inside; /* how far inside what it points to may be: where it is itself, or
				* further where http_opts.allow_private names it */
	enum http_failure failure;
};
void http_response_init(struct http_response *r);
void http_response_clear(struct http_response *r);
/* First value of a header (name in lower case), NULL when absent. */
const char *http_header(const struct http_response *r, const char *name);
#define auto_http_response CLEANUP(http_response_clear)

/* For http_attempt.c. The head of a 2xx answer; bytes of its body; its end. `host` is for messages.
 */
int http_sink_start(struct http_sink *k, const struct http_response *r, int status,
	const char *host, struct err **err);
int http_sink_bytes(
	struct http_sink *k, const void *p, size_t n, const char *host, struct err **err);
int http_sink_end(struct http_sink *k, const char *host, struct err **err);

struct http_session;
struct http_session *http_session_new(const struct http_opts *o);
void http_session_free(struct http_session *s);

/* 0 when a server answered (any status). ERR_NET naming host and cure; ERR_CANCELLED; ERR_LIMIT;
 * the sink's error. */
int http_perform(struct http_session *s, const struct http_request *q, struct http_response *r,
	struct err **err);

/* Is this a status that may be different next time (429, 5xx, ...)? */
bool http_perform_again(int status);
/* Tell and wait before retry number `attempt`, as long as the answer's Retry-After says. `what`
 * names it in messages. */
int http_perform_wait(struct http_session *s, const char *what, const struct http_response *r,
	unsigned attempt, const struct err *why, struct err **err);

/* --- for http_perform.c: one request to one server --- */
struct url;
int http_attempt(struct http_session *s, const struct http_request *q, const struct url *u,
	bool same_origin, struct http_response *r, struct err **err);
const struct http_opts *http_session_opts(const struct http_session *s);
bool http_cancelled(const struct http_session *s);

DEFINE_CLEANUP(struct http_session *, http_session_free);
#define auto_http_session CLEANUP(http_session_freep)

#endif
