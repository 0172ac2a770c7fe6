// SPDX-License-Identifier: Apache-2.0
/*
 * What kind of network an address belongs to, so that a server outside cannot send us to one
 * inside. IPv4 written as IPv6 (mapped, compatible, NAT64) is judged as IPv4; a family that is not
 * known counts as link-local, which is allowed least.
 */
#include "store/transport/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static enum http_peer of_ipv4(uint32_t a)
{
	static const struct {
		uint32_t net, mask;
		enum http_peer peer;
	} nets[] = {
		{0x7f000000, 0xff000000, HTTP_PEER_LOOPBACK},
		{0x00000000, 0xff000000, HTTP_PEER_LOOPBACK}, /* 0.0.0.0 reaches this machine */
		{0xa9fe0000, 0xffff0000, HTTP_PEER_LINK_LOCAL},
		{0x0a000000, 0xff000000, HTTP_PEER_PRIVATE},
		{0xac100000, 0xfff00000, HTTP_PEER_PRIVATE},
		{0xc0a80000, 0xffff0000, HTTP_PEER_PRIVATE},
		{0x64400000, 0xffc00000, HTTP_PEER_PRIVATE}, /* carrier-grade NAT */
	};

	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		if ((a & nets[i].mask) == nets[i].net)
			return nets[i].peer;
	return HTTP_PEER_PUBLIC;
}

static enum http_peer of_ipv6(const struct in6_addr *a)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	uint32_t last;

	memcpy(&last, a->s6_addr + 12, sizeof last);
	if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a))
		return HTTP_PEER_LOOPBACK;
	if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a) ||
		memcmp(a->s6_addr, nat64, sizeof nat64) == 0)
		return of_ipv4(ntohl(last));
	if (IN6_IS_ADDR_LINKLOCAL(a))
		return HTTP_PEER_LINK_LOCAL;
	if ((a->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_SITELOCAL(a))
		return HTTP_PEER_PRIVATE;
	return HTTP_PEER_PUBLIC;
}

enum http_peer peer_of_address(const struct sockaddr *a)
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;

	if (a->sa_family == AF_INET) {
		memcpy(&four, a, sizeof four);
		return of_ipv4(ntohl(four.sin_addr.s_addr));
	}
	if (a->sa_family == AF_INET6) {
		memcpy(&six, a, sizeof six);
		return of_ipv6(&six.sin6_addr);
	}
	return HTTP_PEER_LINK_LOCAL;
}

enum http_peer peer_of_text(const char *ip)
{
	struct in_addr four;
	struct in6_addr six;

	if (ip && inet_pton(AF_INET, ip, &four) == 1)
		return of_ipv4(ntohl(four.s_addr));
	if (ip && inet_pton(AF_INET6, ip, &six) == 1)
		return of_ipv6(&six);
	return HTTP_PEER_PUBLIC;
}

bool peer_allowed(enum http_peer peer, enum http_peer inside)
{
	switch (peer) {
	case HTTP_PEER_PUBLIC:
		return true;
	case HTTP_PEER_PRIVATE:
		return inside == HTTP_PEER_PRIVATE || inside == HTTP_PEER_LOOPBACK;
	case HTTP_PEER_LOOPBACK:
		return inside == HTTP_PEER_LOOPBACK;
	case HTTP_PEER_LINK_LOCAL:
		return inside == HTTP_PEER_LINK_LOCAL;
	}
	return false;
}
