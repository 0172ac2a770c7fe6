// SPDX-License-Identifier: Apache-2.0
/* One pass over a text: after each "://" the authority, then the parameters of the query. */
#include "parser/urlsecret.h"

#include <string.h>
#include <strings.h>

/* In a URL as it stands in a Dockerfile these end it. */
static bool ends_url(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>';
}

static bool urlsecret_holds(struct slice name, const char *part)
{
	size_t n = strlen(part);

	for (size_t i = 0; i + n <= name.len; i++)
		if (strncasecmp(name.ptr + i, part, n) == 0)
			return true;
	return false;
}

/* Does a name of a parameter say that its value is a secret? */
static bool urlsecret_named(struct slice name)
{
	static const char *const parts[] = {"token", "secret", "passw", "passphrase", "signature",
		"credential", "apikey", "api_key", "api-key", "access_key", "access-key",
		"accesskey", "private_key", "private-key", "authorization", "session"};
	static const char *const whole[] = {
		"auth", "key", "sig", "pass", "pwd", "jwt", "code", "sas", "hmac"};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (urlsecret_holds(name, parts[i]))
			return true;
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (slice_eq_nocase(name, whole[i]))
			return true;
	return false;
}

/* "user:password" of an authority, or NULL: a mere name of a scheme other than http is no secret.
 */
static struct slice login(struct slice authority, bool http)
{
	const char *at = memrchr(authority.ptr, '@', authority.len);
	size_t n = at ? (size_t)(at - authority.ptr) : 0;
	const char *colon = n ? memchr(authority.ptr, ':', n) : NULL;

	if (n == 0 || (!http && !colon))
		return (struct slice){0};
	if (http)
		return (struct slice){authority.ptr, n};
	return (struct slice){colon + 1, (size_t)(at - colon - 1)};
}

struct visit {
	urlsecret_fn fn;
	void *ctx;
};

static void urlsecret_visit(const struct visit *v, struct slice secret)
{
	if (secret.len)
		v->fn(v->ctx, secret);
}

static void parameters(struct slice query, const struct visit *v)
{
	for (size_t i = 0, next; i < query.len; i = next + 1) {
		struct slice one, name;

		next = i;
		while (next < query.len && query.ptr[next] != '&' && query.ptr[next] != ';')
			next++;
		one = slice_sub(query, i, next - i);
		name = slice_sub(one, 0, slice_find(one, '=', 0));
		if (name.len < one.len && urlsecret_named(name))
			urlsecret_visit(v, slice_from(one, name.len + 1));
	}
}

/* A URL from its authority on. */
static void rest_of_url(struct slice url, bool http, const struct visit *v)
{
	size_t path = 0, end = slice_find(url, '#', 0), query;

	while (path < url.len && !strchr("/?#", url.ptr[path]))
		path++;
	urlsecret_visit(v, login(slice_sub(url, 0, path), http));
	query = slice_find(url, '?', 0);
	if (query < end)
		parameters(slice_sub(url, query + 1, end - query - 1), v);
}

static bool is_http(struct slice before)
{
	static const char *const schemes[] = {"http", "https"};

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t n = strlen(schemes[i]);
		if (before.len >= n && strncasecmp(before.ptr + before.len - n, schemes[i], n) == 0)
			return true;
	}
	return false;
}

void urlsecret_each(struct slice text, urlsecret_fn fn, void *ctx)
{
	const struct visit v = {fn, ctx};

	for (size_t at = 0;;) {
		size_t scheme = at + slice_find_str(slice_from(text, at), "://"), end;

		at = scheme + 3;
		if (at >= text.len)
			return;
		for (end = at; end < text.len && !ends_url(text.ptr[end]); end++)
			;
		rest_of_url(slice_sub(text, at, end - at), is_http(slice_sub(text, 0, scheme)), &v);
		at = end;
	}
}

static void blank(void *ctx, struct slice secret)
{
	char *text = ctx;

	memset(text + (secret.ptr - (const char *)text), '*', secret.len);
}

void urlsecret_blank(char *text, size_t len)
{
	urlsecret_each((struct slice){text, len}, blank, text);
}
