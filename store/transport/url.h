/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http and https URLs: split, resolve a Location, compare origins, print without secrets.
 */
#ifndef BLD_STORE_TRANSPORT_URL_H
#define BLD_STORE_TRANSPORT_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/err.h"

#define URL_MAX 8192 /* bytes of one URL */

struct url {
	bool https;
	bool has_user; /* user:password@ was there; dropped by url_text */
	char *host;    /* lower case, IPv6 in brackets; owned */
	unsigned port; /* always set */
	char *target;  /* path and query, begins with '/'; no fragment; owned */
};

/* ERR_NET for anything that is not a plain http(s) URL: control bytes, blanks, other schemes. */
int url_parse(const char *text, struct url *out, struct err **err);
void url_clear(struct url *u);
/* Without user and password. Owned by the caller. */
char *url_text(const struct url *u);
/* "host" or "host:port" where the port is not the scheme's own. Owned. */
char *url_host_port(const struct url *u);
/* A Location header: absolute, "//host/x", "/path" or relative, against base. */
int url_resolve(const struct url *base, const char *ref, struct url *out, struct err **err);
bool url_same_origin(const struct url *a, const struct url *b);
/* "user:password" of a URL, percent-decoded; NULL when it has none or what is no text. Owned, a
 * secret. */
char *url_user_info(const char *text);
/* scheme://host/path for messages: no user, no query, escaped. Owned; never NULL. */
char *url_printable(const char *text);
/* name=value in query encoding, with '?' or '&' in front as needed. */
void url_add_query(struct buf *b, const char *name, const char *value);
/* "localhost", "127.x.y.z", "[::1]", with or without a port. */
bool url_is_loopback(const char *host_port);

/* Is the host, alone or with its port, an entry of this list (by commas; NULL: empty)? */
bool url_listed(const char *list, const char *host, unsigned port);

#define auto_url CLEANUP(url_clear)

#endif
