/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which way a request goes: straight to its host, or through a proxy of the environment. The
 * variables and the patterns of no_proxy mean what they mean to libcurl, but the decision is made
 * here, once for each request, and libcurl is told the result: what the guard of addresses
 * (http.h) believes of a connection and what the connection is cannot differ.
 *
 *	http://   http_proxy (in lower case only), else all_proxy, ALL_PROXY
 *	https://  https_proxy, HTTPS_PROXY, else all_proxy, ALL_PROXY
 *	neither   where no_proxy, else NO_PROXY, names the host: "*", a domain with all below it, an
 *	          address, or a network in CIDR notation, apart by commas or blanks
 *
 * This machine ("localhost", 127.x.y.z, ::1) is never asked for through a proxy.
 */
#ifndef BLD_STORE_TRANSPORT_ROUTE_H
#define BLD_STORE_TRANSPORT_ROUTE_H

#include "store/transport/http.h"
#include "store/transport/url.h"

/* The proxy for u as the environment has it; NULL: none, straight to the host. Borrowed. */
const char *route_proxy(const struct url *u);
/* Does a list of no_proxy name this host (lower case, IPv6 in brackets)? */
bool route_excluded(const char *host, const char *no_proxy);
/* Where a host that a proxy connects to is, as far as its name says: an address is what it is, any
 * other name counts as public. */
enum http_peer route_peer_behind(const char *host);

#endif
