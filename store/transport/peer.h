/* SPDX-License-Identifier: Apache-2.0 */
/* Is an address public, private, ours, or link-local? Looks through IPv4 in IPv6 (mapped, NAT64).
 */
#ifndef BLD_STORE_TRANSPORT_PEER_H
#define BLD_STORE_TRANSPORT_PEER_H

#include <sys/socket.h>

#include "store/transport/http.h"

enum http_peer peer_of_address(const struct sockaddr *a);
/* Of an address in text form; what is no address (a name, NULL) counts as public. */
enum http_peer peer_of_text(const char *ip);
/* May something that a registry at `inside` points to be at `peer`? Link-local only from
 * link-local. */
bool peer_allowed(enum http_peer peer, enum http_peer inside);

#endif
