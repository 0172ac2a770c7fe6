/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WWW-Authenticate (RFC 9110, 11.6.1): challenges, several of them in one header and several
 * headers. Scheme and parameter names in lower case; commas inside quoted values do not separate.
 */
#ifndef BLD_STORE_TRANSPORT_AUTH_HEADER_H
#define BLD_STORE_TRANSPORT_AUTH_HEADER_H

#include "store/base/strlist.h"

#define AUTH_HEADER_CHALLENGES 16
#define AUTH_HEADER_PARAMS     32
#define AUTH_HEADER_VALUE_MAX  8192 /* bytes of one parameter */

struct auth_challenge {
	char *scheme;          /* "bearer"; owned */
	struct strlist params; /* name=value, names in lower case */
};
struct auth_header {
	struct auth_challenge v[AUTH_HEADER_CHALLENGES];
	size_t n;
};

/* Append the challenges of one header value; zero *h first. -1 when it is malformed: what came
 * before it stays. */
int auth_header_parse(const char *value, struct auth_header *h);
void auth_header_clear(struct auth_header *h);
/* The first challenge of this scheme, NULL when there is none. */
const struct auth_challenge *auth_header_find(const struct auth_header *h, const char *scheme);
#define auto_auth_header CLEANUP(auth_header_clear)

#endif
