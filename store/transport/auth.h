/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are to one registry: credentials, looked up once when they are first asked for, and
 * tokens, cached by scope until 90% of their life is over. Shared by the threads of one transfer; a
 * token is fetched once for all.
 *
 * Where credentials go: Basic to the registry's own origin. To a token server (the `realm` that the
 * registry names) only over https (http when the registry itself is http), and only when its host
 * is the registry's, shares the registry's parent domain, is loopback as the registry is, or is
 * listed in BLD_TRUSTED_REALMS (hosts, comma separated); other token servers are asked without
 * credentials. No realm may lead to loopback, private or link-local addresses unless the registry
 * is there too.
 */
#ifndef BLD_STORE_TRANSPORT_AUTH_H
#define BLD_STORE_TRANSPORT_AUTH_H

#include "store/transport/http.h"
#include "store/transport/secret.h"

#define AUTH_TOKEN_REPLY_MAX ((size_t)1 << 20)
#define AUTH_TOKEN_MAX       ((size_t)64 << 10)
#define AUTH_LIFE_DEFAULT_S  60

struct auth;

struct auth_opts {
	const char *host;     /* as in image names: the key of the credentials */
	const char *path;     /* repository, for credentials of a namespace; may be NULL */
	const char *api_host; /* where requests go */
	bool https;
	const char *authfile; /* NULL = the usual places */
	const char *user;     /* given (login) instead of looked up; NULL = look up */
	const char *password;
};
struct auth *auth_new(const struct auth_opts *o);
void auth_free(struct auth *a);

/*
 * The Authorization for a request with this scope ("repository:x:pull", several separated by
 * blanks, or ""): *out NULL when the registry asked for nothing so far. Fetches a token when there
 * is none. ERR_AUTH, ERR_NET.
 */
int auth_value(struct auth *a, struct http_session *s, const char *scope, struct secret **out,
	struct err **err);
/* After a 401 to a request that carried `used` (NULL = none): learn what is asked for. 1 = try
 * again, 0 = hopeless, -1. */
int auth_refused(struct auth *a, const struct http_response *r, const char *scope,
	const struct secret *used, struct err **err);
/* Add what could be done about a 401 / 403 that stays; returns -1. */
int auth_hint(struct auth *a, struct err **err);

/* May credentials for the registry go to this realm's host? (exported for its test) */
bool auth_realm_trusted(const char *registry_host, const char *realm_host);

#endif
