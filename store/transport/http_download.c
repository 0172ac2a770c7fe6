// SPDX-License-Identifier: Apache-2.0
/*
 * A plain GET for ADD and contexts that are URLs. A login in the URL becomes an Authorization
 * header for its origin, and is never shown. With an ETag or date of an earlier answer the server
 * may say "unchanged", and nothing is written then. Apart from http.c because this part is no
 * registry's.
 */
#include "store/transport/download.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/transport/http.h"
#include "store/transport/reply.h"
#include "store/transport/secret.h"
#include "store/transport/url.h"

/* "https://user:password@host/": Basic, for that origin only. NULL when there is no user. */
static struct secret *url_authorization(const char *url)
{
	char *info = url_user_info(url), *colon = info ? strchr(info, ':') : NULL;
	auto_secret struct secret *password = NULL;
	struct secret *out;

	if (!info)
		return NULL;
	if (colon)
		*colon = '\0';
	password = secret_of(colon ? colon + 1 : "");
	out = secret_basic(info, password);
	if (colon)
		explicit_bzero(colon + 1, strlen(colon + 1));
	free(info);
	return out;
}

int http_download(const char *url, struct io_writer *out, struct http_download *d, struct err **err)
{
	struct http_opts o = {.cert_dir = d->cert_dir,
		.allow_private = d->allow_private,
		.written = true,
		.cancelled = d->cancelled};
	auto_http_session struct http_session *s = http_session_new(&o);
	auto_http_response struct http_response r;
	auto_free char *shown = url_printable(url);
	struct http_sink sink;
	auto_strlist struct strlist ask = {0};
	struct http_request q = {.method = "GET", .url = url, .sink = &sink, .headers = &ask};
	auto_secret struct secret *login = url_authorization(url);
	const char *h;
	int rc;

	if (d->etag)
		strlist_addf(&ask, "If-None-Match: %s", d->etag);
	if (d->date)
		strlist_addf(&ask, "If-Modified-Since: %s", d->date);
	free(d->etag);
	free(d->date);
	d->etag = d->date = NULL;
	http_response_init(&r);
	http_sink_init(&sink, *out, d->max_bytes, ERR_LIMIT);
	q.authorization = login ? secret_text(login) : NULL;
	rc = http_perform(s, &q, &r, err);
	http_sink_clear(&sink);
	if (rc < 0)
		return err_prefix(err, "downloading %s", shown);
	d->unchanged = r.status == 304 && ask.n;
	if (d->unchanged)
		return 0;
	if (r.status != 200 && r.status != 206)
		return reply_error(&r, shown, err);
	h = http_header(&r, "last-modified");
	d->date = h ? mem_strdup(h) : NULL;
	if (!h || now_parse_http_date(h, &d->last_modified) < 0)
		d->last_modified = -1;
	h = http_header(&r, "etag");
	d->etag = h ? mem_strdup(h) : NULL;
	return 0;
}

bool http_is_local(const char *host_port)
{
	return url_is_loopback(host_port);
}
