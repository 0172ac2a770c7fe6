// SPDX-License-Identifier: Apache-2.0
/*
 * Redirects around attempts, retries around redirects, so that a redirect target that broke is
 * asked for anew at the registry.
 */
#include "store/transport/http.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/transport/backoff.h"
#include "store/transport/url.h"

static bool is_redirect(const struct http_request *q, const struct http_response *r)
{
	bool reading = strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0;

	if (!http_header(r, "location"))
		return false;
	if (r->status == 307 || r->status == 308)
		return true;
	return reading && (r->status == 301 || r->status == 302 || r->status == 303);
}

/*
 * Where the answer leads: 1 with *next set, 0 when it is the last one, -1. A body that is a secret
 * is sent to where it was meant for and nowhere else, also not elsewhere at the same server.
 */
static int next_hop(const struct http_request *q, const struct url *u,
	const struct http_response *r, struct url *next, struct err **err)
{
	if (!is_redirect(q, r))
		return 0;
	if (q->secret_body) {
		auto_free char *to = url_printable(http_header(r, "location"));

		return err_set(err, ERR_AUTH,
			"%s: the server answers with a redirect to %s; a password or token is not "
			"sent on",
			u->host, to);
	}
	if (url_resolve(u, http_header(r, "location"), next, err) < 0)
		return err_prefix(err, "%s: bad redirect", u->host);
	if (u->https && !next->https)
		return err_set(err, ERR_NET, "%s: refused a redirect from https to http", u->host);
	return 1;
}

/* What a server points to is not further inside than the server itself, or than it may lead. */
static void guard_next(
	struct http_request *q, const struct url *u, const struct http_response *r, char **guide)
{
	if (!q->guarded || (q->inside == HTTP_PEER_PUBLIC && r->inside == HTTP_PEER_PRIVATE))
		q->inside = r->inside;
	q->guarded = true;
	free(*guide);
	q->guide = *guide = url_host_port(u);
}

static int http_perform_follow(struct http_session *s, const struct http_request *q,
	struct http_response *r, struct err **err)
{
	auto_url struct url first = {0}, u = {0};
	struct http_request hop = *q;
	auto_free char *guide = NULL;

	r->failure = HTTP_LOCAL;
	if (url_parse(q->url, &first, err) < 0 || url_parse(q->url, &u, err) < 0)
		return -1;
	for (int hops = 0;; hops++) {
		auto_url struct url next = {0};
		int more;

		if (http_attempt(s, &hop, &u, url_same_origin(&first, &u), r, err) < 0)
			return -1;
		free(r->url);
		r->url = url_text(&u);
		more = next_hop(q, &u, r, &next, err);
		if (more == 0)
			return 0;
		r->failure = HTTP_LOCAL;
		if (more < 0)
			return -1;
		if (hops == HTTP_REDIRECTS_MAX)
			return err_set(err, ERR_NET, "%s: more than %d redirects", first.host,
				HTTP_REDIRECTS_MAX);
		guard_next(&hop, &u, r, &guide);
		url_clear(&u);
		u = next;
		next = (struct url){0};
	}
}

bool http_perform_again(int status)
{
	switch (status) {
	case 408:
	case 429:
	case 499:
	case 500:
	case 502:
	case 503:
	case 504:
	case 522:
		return true;
	default:
		return false;
	}
}

/* How often may this failure be tried again? What is refused at once rarely gets better soon. */
static unsigned retry_budget(
	const struct http_session *s, const struct http_request *q, const struct http_response *r)
{
	const struct http_opts *o = http_session_opts(s);
	unsigned most = backoff_tries(o->retries);

	if (q->once || r->failure == HTTP_LOCAL || r->failure == HTTP_BAD_CERT ||
		r->failure == HTTP_OTHER_TLS || r->failure == HTTP_NO_HTTP)
		return 0;
	if (r->failure == HTTP_ANSWERED)
		return http_perform_again(r->status) ? most : 0;
	if (r->failure == HTTP_NO_CONNECTION || r->failure == HTTP_NO_TLS)
		return most < 2 ? most : 2;
	return most;
}

int http_perform_wait(struct http_session *s, const char *what, const struct http_response *r,
	unsigned attempt, const struct err *why, struct err **err)
{
	const struct http_opts *o = http_session_opts(s);
	int64_t asked =
		r->failure == HTTP_ANSWERED
			? backoff_retry_after_ms(http_header(r, "retry-after"), now_seconds())
			: -1;
	uint64_t ms = asked >= 0          ? (uint64_t)asked
		      : o->retry_delay_ms ? o->retry_delay_ms
					  : backoff_delay_ms(attempt);
	auto_buf struct buf text;

	buf_init(&text, (size_t)16 << 10);
	if (asked > BACKOFF_RETRY_AFTER_MAX)
		return err_set(err, ERR_NET, "%s: HTTP %d, and the server asks to wait for %lld s",
			what, r->status, (long long)(asked / 1000));
	if (why)
		buf_addf(&text, "%s", err_text(why));
	else
		buf_addf(&text, "%s: HTTP %d", what, r->status);
	buf_addf(&text, "; trying again in %llu.%llu s", (unsigned long long)(ms / 1000),
		(unsigned long long)(ms % 1000 / 100));
	if (o->notify)
		o->notify(o->ctx, text.data);
	if (backoff_sleep(ms, o->cancelled, o->stop) < 0)
		return err_set(err, ERR_CANCELLED, "cancelled");
	return 0;
}

/*
 * After a download broke: forget how often, when it moved on a good piece, for then the server is
 * not a hopeless one; but always the same byte means that there is no more. 1 = that.
 */
static int http_perform_is_stuck(const struct http_request *q, const struct http_response *r,
	int rc, uint64_t before, unsigned *attempt, unsigned *stuck)
{
	if (!q->sink)
		return 0;
	if (q->sink->done - before >= (uint64_t)1 << 20)
		*attempt = 0;
	if (rc == 0 || r->failure != HTTP_BROKEN || before == 0 || q->sink->done > before)
		return 0;
	return ++*stuck == HTTP_STUCK;
}

/* The server cannot go on in the middle: once more from the beginning. */
static bool refuses_range(const struct http_request *q, const struct http_response *r)
{
	if (r->status != 416 || !q->sink || q->sink->done == 0 || q->sink->no_range)
		return false;
	q->sink->no_range = true;
	return true;
}

int http_perform(struct http_session *s, const struct http_request *q, struct http_response *r,
	struct err **err)
{
	auto_free char *shown = url_printable(q->url);
	unsigned attempt = 0, stuck = 0;

	for (;;) {
		auto_err struct err *e = NULL;
		uint64_t before = q->sink ? q->sink->done : 0;
		int rc;

		r->failure = HTTP_LOCAL;
		if (http_cancelled(s))
			return err_set(err, ERR_CANCELLED, "cancelled");
		rc = http_perform_follow(s, q, r, &e);
		if (http_perform_is_stuck(q, r, rc, before, &attempt, &stuck)) {
			r->failure = HTTP_LOCAL;
			return err_set(err, ERR_CORRUPT,
				"%s; the content always ends after %llu bytes", err_text(e),
				(unsigned long long)before);
		}
		if (rc == 0 && refuses_range(q, r))
			continue;
		if (attempt >= retry_budget(s, q, r)) {
			if (rc < 0 && err)
				*err = TAKE(e);
			return rc;
		}
		if (http_perform_wait(s, shown, r, attempt++, e, err) < 0) {
			r->failure = HTTP_LOCAL;
			return -1;
		}
	}
}
