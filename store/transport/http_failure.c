// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl says in one code that a server has no TLS, has an older one, or wants to know who we are;
 * only its words, which are those of the TLS library, tell them apart. They are looked for in a
 * table; what is not in it stays what its code says.
 */
#include "store/transport/http_failure.h"

#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

#define ANY CURL_LAST
#define HELP_ROUTE                                                                                 \
	"check the name of the registry, that it runs, and the network (DNS, https_proxy)"
#define HELP_NO_TLS     "a registry that speaks only http needs --tls-verify=false"
#define HELP_NO_TLS_URL "if it speaks only http, the URL begins with http://"
#define HELP_OLD        "whoever runs it has to switch on TLS 1.2 or 1.3"
#define HELP_CLIENT                                                                                \
	"a certificate of yours for it is ~/.config/containers/certs.d/%s/client.cert, its key "   \
	"client.key beside it"
#define HELP_CA HELP_CA_URL ", or use --tls-verify=false"
#define HELP_CA_URL                                                                                \
	"put the certificate of its authority into ~/.config/containers/certs.d/%s/ca.crt"
#define HELP_HTTP "check the port: a server of https is asked with https://"

/* The first row that fits. `help` and `help_url` may have %s: the host. */
static const struct failed {
	CURLcode rc;
	const char *said; /* in libcurl's words; NULL: whatever it says */
	enum http_failure why;
	const char *what;     /* the server does; NULL: as libcurl says it */
	const char *help;     /* about a registry, or NULL */
	const char *help_url; /* about a URL that somebody wrote; NULL: the same */
} failures[] = {
	{CURLE_COULDNT_CONNECT, NULL, HTTP_NO_CONNECTION, NULL, HELP_ROUTE, NULL},
	{CURLE_COULDNT_RESOLVE_HOST, NULL, HTTP_NO_CONNECTION, NULL, HELP_ROUTE, NULL},
	{CURLE_COULDNT_RESOLVE_PROXY, NULL, HTTP_NO_CONNECTION, NULL, HELP_ROUTE, NULL},
	{CURLE_PEER_FAILED_VERIFICATION, NULL, HTTP_BAD_CERT, NULL, HELP_CA, HELP_CA_URL},
	{CURLE_SSL_CERTPROBLEM, NULL, HTTP_BAD_CERT, NULL, HELP_CA, HELP_CA_URL},
	{CURLE_SSL_CACERT_BADFILE, NULL, HTTP_BAD_CERT, NULL, HELP_CA, HELP_CA_URL},
	{CURLE_SSL_ISSUER_ERROR, NULL, HTTP_BAD_CERT, NULL, HELP_CA, HELP_CA_URL},
	{ANY, "alert protocol version", HTTP_OTHER_TLS,
		"speaks only a TLS that is too old; 1.2 or 1.3 is needed", HELP_OLD, NULL},
	{ANY, "unsupported protocol", HTTP_OTHER_TLS,
		"speaks only a TLS that is too old; 1.2 or 1.3 is needed", HELP_OLD, NULL},
	{ANY, "certificate required", HTTP_BAD_CERT, "wants a certificate of the client",
		HELP_CLIENT, NULL},
	{ANY, "alert bad certificate", HTTP_BAD_CERT, "does not take the certificate of the client",
		HELP_CLIENT, NULL},
	{ANY, "alert handshake failure", HTTP_OTHER_TLS,
		"breaks TLS off: it wants a certificate of the client, or has no cipher that is "
		"good enough",
		HELP_CLIENT, NULL},
	{CURLE_SSL_CONNECT_ERROR, " alert ", HTTP_OTHER_TLS, "breaks TLS off",
		"check the name and port of the server", NULL},
	{CURLE_SSL_CONNECT_ERROR, "wrong version number", HTTP_NO_TLS,
		"answers without TLS, so it is no server of https", HELP_NO_TLS, HELP_NO_TLS_URL},
	{CURLE_SSL_CONNECT_ERROR, "packet length too long", HTTP_NO_TLS,
		"answers without TLS, so it is no server of https", HELP_NO_TLS, HELP_NO_TLS_URL},
	{CURLE_SSL_CONNECT_ERROR, NULL, HTTP_NO_TLS, "closes the connection when TLS begins",
		HELP_NO_TLS, HELP_NO_TLS_URL},
};
/* More of them, for http:// only. */
static const struct failed failures_http[] = {
	{CURLE_GOT_NOTHING, NULL, HTTP_BROKEN, "closes the connection without an answer", HELP_HTTP,
		NULL},
	{CURLE_UNSUPPORTED_PROTOCOL, "HTTP/0.9", HTTP_NO_HTTP, "does not answer in HTTP", HELP_HTTP,
		NULL},
};

static const struct failed *failure_find(
	const struct failed *rows, size_t n, CURLcode rc, const char *said)
{
	for (size_t i = 0; i < n; i++)
		if ((rows[i].rc == rc || rows[i].rc == ANY) &&
			(!rows[i].said || strstr(said, rows[i].said)))
			return &rows[i];
	return NULL;
}

static const struct failed *failure_look_up(CURLcode rc, const char *said, bool https)
{
	const struct failed *f = failure_find(failures, ARRAY_LEN(failures), rc, said);

	return f || https ? f : failure_find(failures_http, ARRAY_LEN(failures_http), rc, said);
}

enum http_failure http_failure_of(CURLcode rc, const char *said)
{
	const struct failed *f = failure_look_up(rc, said, false);

	if (rc == CURLE_OK)
		return HTTP_ANSWERED;
	return f ? f->why : HTTP_BROKEN;
}

int http_failure_explain(
	CURLcode rc, const char *said, const char *host, bool https, bool written, struct err **err)
{
	const struct failed *f = failure_look_up(rc, said, https);
	auto_free char *line =
		mem_strndup(said, strlen(said) - (*said && said[strlen(said) - 1] == ' '));
	auto_free char *text = fs_printable(line);
	const char *help = NULL, *at;

	if (f && f->what)
		err_set(err, ERR_NET, "%s: the server %s (%s)", host, f->what, text);
	else
		err_set(err, ERR_NET, "%s: %s", host, text);
	if (f)
		help = written && f->help_url ? f->help_url : f->help;
	if (f && f->why == HTTP_NO_CONNECTION && strcmp(host, "localhost") == 0)
		help = "no registry answers at localhost; an image built here would be in the "
		       "store: \"bld images\" lists them";
	if (!help)
		return -1;
	at = strstr(help, "%s");
	return at ? err_hint(err, "%.*s%s%s", (int)(at - help), help, host, at + 2)
		  : err_hint(err, "%s", help);
}
