// SPDX-License-Identifier: Apache-2.0
/*
 * The credentials and tokens of one registry, for all workers, behind one lock: it is held while a
 * token is fetched, so of many requests that are refused at once only the first asks. Where the
 * registry sends us for a token is its own word; credentials go there only if the host is related
 * or allowed by the caller.
 */
#include "store/transport/auth.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/deadline.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/transport/auth_file.h"
#include "store/transport/auth_header.h"
#include "store/transport/reply.h"
#include "store/transport/url.h"

#define AUTH_TOKENS_MAX 64

struct token {
	char *scope;
	struct secret *value; /* "Bearer ..." */
	struct deadline end;
};

enum scheme { SCHEME_NONE, SCHEME_BASIC, SCHEME_BEARER };

struct auth {
	pthread_mutex_t lock; /* all below */
	char *host, *path, *api_host, *authfile;
	bool https;
	bool looked_up;
	struct auth_credentials creds;
	enum scheme scheme;
	char *realm, *service;
	char *extra_scope; /* what a registry asked for beyond our own scopes */
	enum http_peer inside;
	struct token tokens[AUTH_TOKENS_MAX];
	size_t ntokens;
	char *withheld; /* realm host that did not get the credentials */
};

static char *auth_copy(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

struct auth *auth_new(const struct auth_opts *o)
{
	struct auth *a = mem_alloc(sizeof *a);

	pthread_mutex_init(&a->lock, NULL);
	a->host = mem_strdup(o->host);
	a->path = auth_copy(o->path);
	a->api_host = mem_strdup(o->api_host);
	a->authfile = auth_copy(o->authfile);
	a->https = o->https;
	if (o->user) {
		a->looked_up = true;
		a->creds.user = mem_strdup(o->user);
		a->creds.password = secret_of(o->password);
	}
	return a;
}

static void drop_token(struct auth *a, size_t i)
{
	free(a->tokens[i].scope);
	secret_free(a->tokens[i].value);
	a->tokens[i] = a->tokens[--a->ntokens];
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	while (a->ntokens)
		drop_token(a, 0);
	auth_file_clear(&a->creds);
	free(a->host);
	free(a->path);
	free(a->api_host);
	free(a->authfile);
	free(a->realm);
	free(a->service);
	free(a->extra_scope);
	free(a->withheld);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static int auth_look_up(struct auth *a, struct err **err)
{
	if (a->looked_up)
		return 0;
	if (auth_file_find(a->authfile, a->host, a->path, &a->creds, err) < 0)
		return -1;
	a->looked_up = true;
	return 0;
}

/* --- which realm ------------------------------------------------------------------------- */

/* "example.com" of "registry.example.com"; NULL when what is left is (or may be) a public suffix.
 */
static const char *parent_domain(const char *host)
{
	static const char *const second[] = {"ac", "co", "com", "edu", "gov", "net", "org"};
	const char *dot = strchr(host, '.');
	const char *parent = dot ? dot + 1 : NULL;
	const char *tld = parent ? strchr(parent, '.') : NULL;

	if (!tld || strspn(host, "0123456789.") == strlen(host) || *host == '[')
		return NULL;
	if (!strchr(tld + 1, '.') && strlen(tld + 1) == 2)
		for (size_t i = 0; i < ARRAY_LEN(second); i++)
			if (strlen(second[i]) == (size_t)(tld - parent) &&
				strncmp(parent, second[i], strlen(second[i])) == 0)
				return NULL;
	return parent;
}

static bool below(const char *host, const char *domain)
{
	size_t n = strlen(host), d = strlen(domain);
	return strcasecmp(host, domain) == 0 ||
	       (n > d && host[n - d - 1] == '.' && strcasecmp(host + n - d, domain) == 0);
}

bool auth_realm_trusted(const char *registry_host, const char *realm_host)
{
	auto_free char *host =
		mem_strndup(registry_host, *registry_host == '[' ? strcspn(registry_host, "]") + 1
								 : strcspn(registry_host, ":"));
	const char *parent = parent_domain(host);

	if (strcasecmp(host, realm_host) == 0 ||
		url_listed(getenv("BLD_TRUSTED_REALMS"), realm_host, 0))
		return true;
	if (url_is_loopback(host) && url_is_loopback(realm_host))
		return true;
	return parent && below(realm_host, parent);
}

/* --- tokens -------------------------------------------------------------------------------- */

static struct token *find_token(struct auth *a, const char *scope)
{
	for (size_t i = 0; i < a->ntokens; i++) {
		if (strcmp(a->tokens[i].scope, scope) != 0)
			continue;
		if (!deadline_over(a->tokens[i].end))
			return &a->tokens[i];
		drop_token(a, i);
		return NULL;
	}
	return NULL;
}

static int keep_token(
	struct auth *a, const char *scope, const char *value, int64_t life_s, struct err **err)
{
	size_t n = strlen(value);
	struct secret *s;
	auto_secret_buf struct buf b;

	buf_init(&b, AUTH_TOKEN_MAX + 16);
	for (const char *c = value; *c; c++)
		if (*c <= ' ' || *c > '~')
			n = 0;
	if (n == 0 || n > AUTH_TOKEN_MAX)
		return err_set(
			err, ERR_AUTH, "%s: the token server sends no usable token", a->host);
	buf_addf(&b, "Bearer %s", value);
	s = secret_new(b.data, b.len);
	if (a->ntokens == AUTH_TOKENS_MAX)
		drop_token(a, 0);
	if (life_s < AUTH_LIFE_DEFAULT_S)
		life_s = AUTH_LIFE_DEFAULT_S;
	if (life_s > 86400)
		life_s = 86400;
	a->tokens[a->ntokens++] = (struct token){
		.scope = mem_strdup(scope), .value = s, .end = deadline_in((uint64_t)life_s * 900)};
	return 0;
}

static int read_token(
	struct auth *a, const struct http_response *r, const char *scope, struct err **err)
{
	auto_secret_json json_t *doc =
		jsonx_load(r->body.data, r->body.len, AUTH_TOKEN_REPLY_MAX, "token", NULL);
	const char *token = NULL;
	int64_t life = AUTH_LIFE_DEFAULT_S;

	if (!doc || jsonx_string(doc, "access_token", false, "", &token, NULL) < 0 ||
		(!token && jsonx_string(doc, "token", false, "", &token, NULL) < 0) || !token)
		return err_set(err, ERR_AUTH, "%s: the token server sends no token", a->host);
	if (jsonx_int(doc, "expires_in", false, "", &life, NULL) < 0)
		life = AUTH_LIFE_DEFAULT_S;
	return keep_token(a, scope, token, life, err);
}

/* One parameter a scope. */
static void add_scopes(struct buf *b, const char *scope)
{
	while (*scope) {
		size_t n = strcspn(scope, " ");
		auto_free char *one = mem_strndup(scope, n);

		if (n > 0)
			url_add_query(b, "scope", one);
		scope += n + (scope[n] == ' ');
	}
}

static int auth_request(struct auth *a, struct http_session *s, const struct http_request *base,
	struct http_response *r, struct err **err)
{
	struct http_request q = *base;

	q.max_body = AUTH_TOKEN_REPLY_MAX;
	q.guarded = true;
	q.inside = a->inside;
	q.guide = a->api_host;
	if (http_perform(s, &q, r, err) < 0)
		return err_prefix(err, "token for %s", a->host);
	return 0;
}

/* GET realm?service=..&scope=..; Basic when there are credentials that may go there. */
static int get_token(struct auth *a, struct http_session *s, const char *scope, bool with_creds,
	struct http_response *r, struct err **err)
{
	auto_buf struct buf url;
	auto_secret struct secret *basic = NULL;
	struct http_request q = {.method = "GET"};

	buf_init(&url, URL_MAX * 4);
	buf_adds(&url, a->realm);
	if (a->service)
		url_add_query(&url, "service", a->service);
	add_scopes(&url, scope);
	if (with_creds) {
		url_add_query(&url, "account", a->creds.user);
		basic = secret_basic(a->creds.user, a->creds.password);
		q.authorization = secret_text(basic);
	}
	q.url = url.data;
	return auth_request(a, s, &q, r, err);
}

static void form_add(struct buf *b, const char *name, const char *value)
{
	auto_secret_buf struct buf one;

	buf_init(&one, AUTH_TOKEN_MAX * 4);
	url_add_query(&one, name, value);
	if (b->len > 0)
		buf_addc(b, '&');
	buf_adds(b, one.data + 1);
}

/* The OAuth2 form: with an identity token, or where GET does not serve a password. */
static int post_token(struct auth *a, struct http_session *s, const char *scope,
	struct http_response *r, struct err **err)
{
	auto_secret_buf struct buf form;
	auto_strlist struct strlist headers = {0};
	struct http_body body = {0};
	struct http_request q = {.method = "POST",
		.url = a->realm,
		.headers = &headers,
		.body = &body,
		.secret_body = true};

	buf_init(&form, AUTH_TOKEN_MAX * 8);
	form_add(&form, "grant_type", a->creds.identity ? "refresh_token" : "password");
	if (a->service)
		form_add(&form, "service", a->service);
	form_add(&form, "client_id", "bld");
	if (*scope)
		form_add(&form, "scope", scope);
	if (a->creds.identity) {
		form_add(&form, "refresh_token", secret_text(a->creds.identity));
	} else {
		form_add(&form, "username", a->creds.user);
		form_add(&form, "password", secret_text(a->creds.password));
	}
	strlist_add(&headers, "Content-Type: application/x-www-form-urlencoded");
	body.mem = form.data;
	body.size = form.len;
	return auth_request(a, s, &q, r, err);
}

/* Where the registry sends us: may we go there at all, and with what? 1 = with credentials, 0 =
 * without, -1. */
static int check_realm(struct auth *a, struct err **err)
{
	auto_url struct url u = {0};

	if (!a->realm || url_parse(a->realm, &u, err) < 0)
		return a->realm ? err_prefix(err, "%s: token server", a->host)
				: err_set(err, ERR_AUTH,
					  "%s asks for a token and does not say where to get it",
					  a->host);
	if (u.has_user)
		return err_set(err, ERR_AUTH, "%s: the address of its token server has a user name",
			a->host);
	if (a->https && !u.https)
		return err_set(err, ERR_AUTH,
			"%s: refused to ask its token server %s without https", a->host, u.host);
	if (auth_look_up(a, err) < 0)
		return -1;
	if (!a->creds.user && !a->creds.identity)
		return 0;
	if (auth_realm_trusted(a->api_host, u.host))
		return 1;
	free(a->withheld);
	a->withheld = mem_strdup(u.host);
	return 0;
}

static int fetch_token(struct auth *a, struct http_session *s, const char *scope, struct err **err)
{
	auto_http_response struct http_response r;
	auto_buf struct buf all;
	auto_free char *what = mem_printf("token server of %s", a->host);
	int creds, rc;

	http_response_init(&r);
	buf_init(&all, URL_MAX * 2);
	buf_addf(&all, "%s", scope);
	if (a->extra_scope && !strstr(scope, a->extra_scope))
		buf_addf(&all, "%s%s", *scope ? " " : "", a->extra_scope);
	creds = check_realm(a, err);
	if (creds < 0)
		return -1;
	if (creds && a->creds.identity) {
		if (post_token(a, s, all.data, &r, err) < 0)
			return -1;
	} else {
		if (get_token(a, s, all.data, creds, &r, err) < 0)
			return -1;
		if (creds && (r.status == 404 || r.status == 405) &&
			post_token(a, s, all.data, &r, err) < 0)
			return -1;
	}
	if (r.status != 200)
		return reply_error(&r, what, err);
	rc = read_token(a, &r, scope, err);
	explicit_bzero(r.body.data, r.body.len);
	return rc;
}

int auth_value(struct auth *a, struct http_session *s, const char *scope, struct secret **out,
	struct err **err)
{
	struct token *t;
	int rc = 0;

	*out = NULL;
	pthread_mutex_lock(&a->lock);
	if (a->scheme == SCHEME_BASIC) {
		rc = auth_look_up(a, err);
		if (rc == 0 && a->creds.user)
			*out = secret_basic(a->creds.user, a->creds.password);
	} else if (a->scheme == SCHEME_BEARER) {
		t = find_token(a, scope);
		if (!t && (rc = fetch_token(a, s, scope, err)) == 0)
			t = find_token(a, scope);
		if (t)
			*out = secret_copy(t->value);
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

/* --- challenges ---------------------------------------------------------------------------- */

static void read_challenges(const struct http_response *r, struct auth_header *h)
{
	static const char name[] = "www-authenticate: ";

	for (size_t i = 0; i < r->headers.n; i++)
		if (strncmp(r->headers.v[i], name, strlen(name)) == 0)
			(void)auth_header_parse(r->headers.v[i] + strlen(name), h);
}

static int refused_bearer(struct auth *a, const struct auth_challenge *c, const char *scope,
	const struct secret *used, enum http_peer inside)
{
	const char *realm = strlist_get_kv(&c->params, "realm");
	const char *service = strlist_get_kv(&c->params, "service");
	const char *wanted = strlist_get_kv(&c->params, "scope");
	bool more = wanted && !strstr(scope, wanted) &&
		    (!a->extra_scope || strcmp(a->extra_scope, wanted) != 0);
	bool known = a->scheme == SCHEME_BEARER;

	for (size_t i = 0; used && i < a->ntokens; i++)
		if (secret_equal(a->tokens[i].value, used)) {
			drop_token(a, i);
			break;
		}
	if (!known || !a->realm) {
		a->scheme = SCHEME_BEARER;
		a->inside = inside;
		a->realm = auth_copy(realm);
		a->service = auth_copy(service);
	}
	if (more && strlen(wanted) < 1024) {
		free(a->extra_scope);
		a->extra_scope = mem_strdup(wanted);
	}
	/* A token that was just fetched and is refused gets one successor (it may have ended
	 * meanwhile). */
	return 1;
}

int auth_refused(struct auth *a, const struct http_response *r, const char *scope,
	const struct secret *used, struct err **err)
{
	auto_auth_header struct auth_header h = {.n = 0};
	const struct auth_challenge *bearer, *basic;
	auto_url struct url from = {0};
	int rc = 0;

	read_challenges(r, &h);
	bearer = auth_header_find(&h, "bearer");
	basic = auth_header_find(&h, "basic");
	/* What another origin asks for, behind a redirect, is not the registry's wish. */
	if (r->url && url_parse(r->url, &from, NULL) == 0) {
		auto_free char *own =
			mem_printf("%s://%s/", a->https ? "https" : "http", a->api_host);
		auto_url struct url mine = {0};

		if (url_parse(own, &mine, NULL) == 0 && !url_same_origin(&mine, &from))
			return 0;
	}
	pthread_mutex_lock(&a->lock);
	if (bearer) {
		rc = refused_bearer(a, bearer, scope, used, r->inside);
	} else if (basic && a->scheme != SCHEME_BASIC) {
		a->scheme = SCHEME_BASIC;
		rc = auth_look_up(a, err) < 0 ? -1 : a->creds.user != NULL;
	} else if (basic && !used) {
		/* Learned by another thread meanwhile. */
		rc = a->creds.user != NULL;
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

int auth_hint(struct auth *a, struct err **err)
{
	pthread_mutex_lock(&a->lock);
	if (a->withheld)
		err_hint(err,
			"the credentials for %s were not sent to its token server %s; "
			"BLD_TRUSTED_REALMS=%s allows that",
			a->host, a->withheld, a->withheld);
	else if (a->creds.user || a->creds.identity)
		err_hint(err,
			"the stored credentials for %s do not allow this; see \"bld login %s\"",
			a->host, a->host);
	else
		err_hint(err, "there are no credentials for %s; see \"bld login %s\"", a->host,
			a->host);
	pthread_mutex_unlock(&a->lock);
	return -1;
}
